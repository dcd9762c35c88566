/** What the page remembers about a token of an answer. Plain data: it is stored with the chat. */
export interface TokenRecord {
  readonly id: number
  /** What it added to the text; empty while it is a part of a character, and for special tokens. */
  readonly text: string
  /** The token as the vocabulary spells it. */
  readonly label: string
  /** Natural logarithm, of the model's own distribution. */
  readonly logProbability: number
  /** The best tokens of the same distribution, best first. */
  readonly alternatives: readonly Alternative[]
  /** Milliseconds since the token before; since the start of decoding for the first one. */
  readonly elapsedMs: number
  /** Whether a draft had foreseen it. */
  readonly wasDrafted?: boolean
}

export interface Alternative {
  readonly id: number
  readonly label: string
  readonly logProbability: number
}

/** A probability for people: '43 %', '0.2 %', 'below 0.01 %'. */
export function percentage(logProbability: number): string {
  const percent = 100 * Math.exp(logProbability)
  if (percent < 0.01) return 'below 0.01 %'
  if (percent >= 99.95) return '100 %'
  return `${percent.toPrecision(percent >= 10 ? 3 : 2).replace(/\.0+$/, '')} %`
}

/** A label in which white space and control characters can be seen. */
export function visible(label: string): string {
  if (label === '') return '∅'
  return label
    .replaceAll(' ', '␣')
    .replaceAll('\n', '↵')
    .replaceAll('\t', '⇥')
    .replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** A label as it is read out. */
export function spoken(label: string): string {
  if (label.trim() === '') {
    if (label.includes('\n')) return label.length === 1 ? 'line break' : `${label.length} line breaks`
    if (label === '') return 'nothing'
    return label.length === 1 ? 'space' : `${label.length} spaces`
  }
  return label.startsWith(' ') ? `space ${label.slice(1)}` : label
}
