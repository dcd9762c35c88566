/**
 * exp and log in nothing but additions, multiplications, divisions and bit patterns, all of which IEEE 754 defines to the last
 * bit. `Math.exp` and `Math.log` may differ between engines, and then the same seed would draw other tokens in another browser.
 * The exponential is also quicker than `Math.exp` in V8, and it is most of a softmax.
 */

// ln 2 in two parts; the first has 32 bits after the point, so its product with an exponent is exact.
const LN_2_HIGH = 0.6931471806019545
const LN_2_LOW = -4.2009150726810846e-11

const SMALLEST_EXPONENT = -745.2 // exp of less is 0 in float64

// Halved step by step: the operator ** is one of those that engines may approximate.
const TWO_TO_MINUS = new Float64Array(1076).fill(1)
for (let i = 1; i < TWO_TO_MINUS.length; i++) TWO_TO_MINUS[i] = (TWO_TO_MINUS[i - 1] ?? 0) / 2

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer) // low word first: typed arrays are little-endian wherever Foretoken runs

/**
 * e to the power of x for x <= 0, within 1e-14 of the value relatively (absolutely where float64 is subnormal). 0 for
 * -Infinity, NaN for NaN. Not for x > 0.
 */
export function expOfNegative(x: number): number {
  if (x < SMALLEST_EXPONENT) return 0
  const k = (x * Math.LOG2E - 0.5) | 0 // nearest, since the truncation is towards zero
  const r = x - k * LN_2_HIGH - k * LN_2_LOW // within ln 2 / 2 of 0
  const r2 = r * r
  const r4 = r2 * r2
  // Taylor to r^11, in pairs that do not wait for each other.
  const p =
    1 +
    r +
    r2 * (1 / 2 + r * (1 / 6)) +
    r4 * (1 / 24 + r * (1 / 120) + r2 * (1 / 720 + r * (1 / 5040))) +
    r4 * r4 * (1 / 40320 + r * (1 / 362880) + r2 * (1 / 3628800 + r * (1 / 39916800)))
  return p * (TWO_TO_MINUS[-k] ?? 0)
}

/** Natural logarithm of a positive, finite, normal x, within 2 units in the last place. */
export function logOf(x: number): number {
  double[0] = x
  const high = words[1] ?? 0
  // x = m 2^e with m in [0.70, 1.41): where the fraction exceeds that of the square root of 2, halve m.
  const halve = (high & 0xfffff) > 0x6a09e ? 1 : 0
  const exponent = (high >>> 20) - 1023 + halve
  words[1] = (high & 0xfffff) | ((1023 - halve) << 20)
  const m = double[0]
  return exponent * LN_2_HIGH + (exponent * LN_2_LOW + twiceArtanh((m - 1) / (m + 1)))
}

/** -log(1 - v) for v in (0, 1): precise for small v, where 1 - v would forget it. */
export function minusLogOneMinus(v: number): number {
  return v < 0.25 ? twiceArtanh(v / (2 - v)) : -logOf(1 - v)
}

/** 2 artanh(s) = log((1 + s) / (1 - s)) for |s| <= 0.18, by its series. */
function twiceArtanh(s: number): number {
  const z = s * s
  const z2 = z * z
  const z4 = z2 * z2
  const tail =
    1 / 3 +
    z * (1 / 5) +
    z2 * (1 / 7 + z * (1 / 9)) +
    z4 * (1 / 11 + z * (1 / 13) + z2 * (1 / 15 + z * (1 / 17)) + z4 * (1 / 19 + z * (1 / 21)))
  return 2 * (s + s * z * tail)
}
