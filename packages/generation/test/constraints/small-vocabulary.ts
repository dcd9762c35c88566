/** Vocabularies of given texts, walks through constraints, and a slow answer to which tokens may come next. */
import type { Constraint, OutputVocabulary } from '@foretoken/generation'

/** Tokens are these texts, then every single byte, then a stop token. */
export function vocabularyOf(texts: readonly string[], options: { readonly dropsFirstSpace?: boolean } = {}) {
  const bytes = [...texts.map((text) => new TextEncoder().encode(text)), ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))]
  const stop = bytes.length
  const vocabulary: OutputVocabulary = {
    size: stop + 1,
    bytesOf: (token) => bytes[token],
    stopTokens: new Set([stop]),
    dropsFirstSpace: options.dropsFirstSpace ?? false,
  }
  return { vocabulary, bytes, stop }
}

const LETTERS = vocabularyOf([])

/** Whether a text can be the whole output. */
export function accepts(constraint: Constraint, text: string): boolean {
  const state = constraint.follow(LETTERS.vocabulary)
  for (const byte of new TextEncoder().encode(text)) {
    if (!state.allows(byte)) return false
    state.push(byte)
  }
  return state.mayEnd
}

/** An output of tokens that are drawn evenly from what is allowed; ends are preferred after `longest` tokens. */
export function randomOutput(
  constraint: Constraint,
  { vocabulary, bytes, stop }: ReturnType<typeof vocabularyOf>,
  uniform: () => number,
  longest = 60,
): string {
  const state = constraint.follow(vocabulary)
  const output: number[] = []
  const row = new Float32Array(vocabulary.size)
  for (let length = 0; length < 5000; length++) {
    row.fill(0)
    state.mask(row)
    const allowed = [...row.keys()].filter((token) => row[token] === 0)
    const closing =
      length < longest || uniform() < 0.2
        ? undefined
        : allowed.find((token) => token === stop || (bytes[token]?.length === 1 && [0x22, 0x7d, 0x5d].includes(bytes[token]?.[0] ?? 0)))
    const token = closing ?? allowed[Math.floor(uniform() * allowed.length)]
    if (token === undefined) throw new Error(`nothing is allowed after ${textOf(output)}`)
    if (token === stop) return textOf(output)
    state.push(token)
    output.push(...(bytes[token] ?? []))
  }
  throw new Error(`no end: ${textOf(output).slice(0, 200)}`)
}

const textOf = (bytes: readonly number[]) => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes))

/** A stream of numbers from 0 to 1 for one seed (Park and Miller's generator). */
export function uniformFrom(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Every mask on the way to every one of these texts is what the list of texts says; nothing else is a text. */
export function differences(constraint: Constraint, texts: readonly string[], tokens: readonly string[]): string[] {
  const { vocabulary, bytes, stop } = vocabularyOf(tokens)
  const spelled = texts.map((text) => Array.from(new TextEncoder().encode(text)).join(' '))
  const isBeginning = (prefix: string) => spelled.some((text) => prefix === '' || text === prefix || text.startsWith(`${prefix} `))
  const wrong: string[] = []
  const seen = new Set<string>()
  const queue: number[][] = [[]]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const prefix = path.flatMap((token) => [...(bytes[token] ?? [])])
    const key = prefix.join(' ')
    if (seen.has(key)) continue
    seen.add(key)
    const state = constraint.follow(vocabulary)
    for (const token of path) state.push(token)
    const row = new Float32Array(vocabulary.size)
    state.mask(row)
    for (let token = 0; token < vocabulary.size; token++) {
      const next = [...prefix, ...(bytes[token] ?? [])].join(' ')
      const expected = token === stop ? spelled.includes(key) : isBeginning(next)
      if ((row[token] === 0) !== expected) wrong.push(`${JSON.stringify(key)} then ${token}: ${row[token] === 0}`)
      if (expected && token !== stop) queue.push([...path, token])
    }
  }
  return wrong
}
