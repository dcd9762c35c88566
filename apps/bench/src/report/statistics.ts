/** Medians and their like. Means are not used: one disturbed run would carry them away. */

/** @returns NaN for no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
  return (lower + upper) / 2
}

export interface Spread {
  readonly least: number
  readonly greatest: number
}

/** @returns NaN twice for no values */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { least: Number.NaN, greatest: Number.NaN }
  return { least: Math.min(...values), greatest: Math.max(...values) }
}
