/**
 * The inverse of the standard normal distribution function, by the rational approximations of Wichura 1988, "Algorithm AS 241:
 * The Percentage Points of the Normal Distribution" (PPND16, about 16 digits). One uniform number gives one normal number, so
 * normal noise can be indexed like any other.
 */
import { logOf } from './portable-math.ts'

// Coefficients of the paper as float64, lowest power first. The middle: |p - 0.5| <= 0.425.
const MIDDLE_OVER = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
  2509.0809287301227,
] as const
const MIDDLE_UNDER = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854,
] as const
// The tails: r = sqrt(-log(p)) <= 5.
const TAIL_OVER = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
] as const
const TAIL_UNDER = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345,
  1.0507500716444169e-9,
] as const
// Beyond.
const FAR_OVER = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784,
  2.7115555687434876e-5, 2.0103343992922881e-7,
] as const
const FAR_UNDER = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7,
  2.0442631033899397e-15,
] as const

type Coefficients = readonly [number, number, number, number, number, number, number, number]

/** The x below which a standard normal variable lies with probability p, for p in (0, 1). */
export function normalQuantile(p: number): number {
  const fromMiddle = p - 0.5
  if (Math.abs(fromMiddle) <= 0.425) {
    const r = 0.180625 - fromMiddle * fromMiddle
    return (fromMiddle * polynomial(MIDDLE_OVER, r)) / polynomial(MIDDLE_UNDER, r)
  }
  const r = Math.sqrt(-logOf(fromMiddle < 0 ? p : 1 - p))
  const x =
    r <= 5 ? polynomial(TAIL_OVER, r - 1.6) / polynomial(TAIL_UNDER, r - 1.6) : polynomial(FAR_OVER, r - 5) / polynomial(FAR_UNDER, r - 5)
  return fromMiddle < 0 ? -x : x
}

function polynomial([c0, c1, c2, c3, c4, c5, c6, c7]: Coefficients, x: number): number {
  return ((((((c7 * x + c6) * x + c5) * x + c4) * x + c3) * x + c2) * x + c1) * x + c0
}
