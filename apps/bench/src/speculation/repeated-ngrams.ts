/** The share of an output's 4-grams that were in it before: a small model that loops flatters every drafter that copies. NaN for fewer than four tokens. */
export function repeatedShare(tokens: readonly number[], length = 4): number {
  const seen = new Set<string>()
  let repeated = 0
  const count = tokens.length - length + 1
  for (let at = 0; at < count; at++) {
    const gram = tokens.slice(at, at + length).join()
    if (seen.has(gram)) repeated++
    seen.add(gram)
  }
  return count < 1 ? Number.NaN : repeated / count
}
