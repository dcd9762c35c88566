/**
 * Which shade a token gets. The shades differ in lightness only, so that they are told apart without seeing colours, and the sure tokens have
 * none: what stands out is where the model hesitated.
 */
export interface Shade {
  /** 0 has no background. */
  readonly level: number
  readonly label: string
  /** Least probability. */
  readonly from: number
}

export const SHADES: readonly Shade[] = [
  { level: 0, label: '90 % and more', from: 0.9 },
  { level: 1, label: '50 to 90 %', from: 0.5 },
  { level: 2, label: '20 to 50 %', from: 0.2 },
  { level: 3, label: '5 to 20 %', from: 0.05 },
  { level: 4, label: 'below 5 %', from: 0 },
]

/** @returns  the level of a token with this natural logarithm of its probability; 4 when it is no number */
export function shadeOf(logProbability: number): number {
  const probability = Math.exp(logProbability)
  return SHADES.find(({ from }) => probability >= from)?.level ?? 4
}
