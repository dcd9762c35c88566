/** Second implementations of the processors: functions of scores, prompt and output that keep nothing and hurry nowhere. */

export function slowRepetition(scores: readonly number[], prompt: readonly number[], output: readonly number[], penalty: number): number[] {
  return scores.map((x, token) => ([...prompt, ...output].includes(token) ? (x < 0 ? x * penalty : x / penalty) : x))
}

export function slowFrequency(scores: readonly number[], output: readonly number[], presence: number, frequency: number): number[] {
  return scores.map((x, token) => {
    const count = output.filter((each) => each === token).length
    return count > 0 ? x - presence - frequency * count : x
  })
}

export function slowNoRepeatNgram(scores: readonly number[], prompt: readonly number[], output: readonly number[], size: number): number[] {
  const tokens = [...prompt, ...output]
  const seen = new Set<string>()
  for (let i = 0; i + size <= tokens.length; i++) seen.add(tokens.slice(i, i + size).join(' '))
  const suffix = size > 1 ? tokens.slice(-(size - 1)) : []
  if (suffix.length < size - 1) return [...scores]
  return scores.map((x, token) => (seen.has([...suffix, token].join(' ')) ? Number.NEGATIVE_INFINITY : x))
}

export function slowBadWords(
  scores: readonly number[],
  prompt: readonly number[],
  output: readonly number[],
  words: readonly (readonly number[])[],
): number[] {
  const text = [...prompt, ...output].join(' ')
  const endsWith = (tokens: readonly number[]) => tokens.length === 0 || ` ${text}`.endsWith(` ${tokens.join(' ')}`)
  return scores.map((x, token) =>
    words.some((word) => word.at(-1) === token && endsWith(word.slice(0, -1))) ? Number.NEGATIVE_INFINITY : x,
  )
}

export function slowMinimumLength(scores: readonly number[], output: readonly number[], least: number, stops: readonly number[]): number[] {
  return scores.map((x, token) => (output.length < least && stops.includes(token) ? Number.NEGATIVE_INFINITY : x))
}
