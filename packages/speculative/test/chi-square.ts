/** Pearson's statistic, and its quantile that is exceeded with probability 1e-4 (Wilson and Hilferty's approximation). */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((sum, each) => sum + each, 0)
  return counts.reduce((sum, count, i) => {
    const expected = (probabilities[i] ?? 0) * total
    return sum + (count - expected) ** 2 / expected
  }, 0)
}

export function chiSquareLimit(degreesOfFreedom: number): number {
  const a = 2 / (9 * degreesOfFreedom)
  return degreesOfFreedom * (1 - a + 3.719 * Math.sqrt(a)) ** 3
}
