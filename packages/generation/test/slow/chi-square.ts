/**
 * Pearson's statistic and its upper quantile. Tests use the quantile at 1e-4: a right sampler fails one test in 10,000; seeds are
 * fixed, so a test that has passed goes on passing.
 */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((sum, each) => sum + each, 0)
  return counts.reduce((sum, count, i) => {
    const expected = (probabilities[i] ?? 0) * total
    return sum + (count - expected) ** 2 / expected
  }, 0)
}

/** Wilson and Hilferty's approximation of the quantile that is exceeded with probability 1e-4. */
export function chiSquareLimit(degreesOfFreedom: number): number {
  const z = 3.719 // the normal distribution's quantile
  const a = 2 / (9 * degreesOfFreedom)
  return degreesOfFreedom * (1 - a + z * Math.sqrt(a)) ** 3
}
