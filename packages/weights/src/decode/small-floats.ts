/**
 * Tables of floats of 16 bits and less, one value per pattern. A table makes decoding one look-up per element and is made when it is first needed:
 * 256 kB for F16, 1 kB for the 8-bit types. Formats: IEEE 754 binary16; OCP 8-bit floating point (E4M3, E5M2); OCP microscaling (E8M0, E2M1, E2M3, E3M2);
 * the FNUZ variants (no infinities, no negative zero, one NaN, exponent bias one greater).
 */
export interface FloatLayout {
  readonly exponentBits: number
  readonly mantissaBits: number
  readonly bias: number
  /** What the greatest exponent holds: IEEE infinities and NaN, one NaN of all ones beside ordinary numbers, or ordinary numbers only. */
  readonly top: 'ieee' | 'one-nan' | 'finite'
  /** The pattern of negative zero is the one NaN. */
  readonly isNegativeZeroNaN?: boolean
}

const F16: FloatLayout = { exponentBits: 5, mantissaBits: 10, bias: 15, top: 'ieee' }

const LAYOUTS = {
  F16,
  F8_E4M3: { exponentBits: 4, mantissaBits: 3, bias: 7, top: 'one-nan' },
  F8_E5M2: { exponentBits: 5, mantissaBits: 2, bias: 15, top: 'ieee' },
  F8_E4M3FNUZ: { exponentBits: 4, mantissaBits: 3, bias: 8, top: 'finite', isNegativeZeroNaN: true },
  F8_E5M2FNUZ: { exponentBits: 5, mantissaBits: 2, bias: 16, top: 'finite', isNegativeZeroNaN: true },
  F4: { exponentBits: 2, mantissaBits: 1, bias: 1, top: 'finite' },
  F6_E2M3: { exponentBits: 2, mantissaBits: 3, bias: 1, top: 'finite' },
  F6_E3M2: { exponentBits: 3, mantissaBits: 2, bias: 3, top: 'finite' },
} satisfies Record<string, FloatLayout>

export type SmallFloat = keyof typeof LAYOUTS | 'F8_E8M0'

const tables = new Map<SmallFloat, Float32Array>()

/** The value of every pattern of a type. */
export function floatTable(type: SmallFloat): Float32Array {
  const known = tables.get(type)
  if (known !== undefined) return known
  const table = type === 'F8_E8M0' ? exponentTable() : tableOf(LAYOUTS[type])
  tables.set(type, table)
  return table
}

function tableOf(layout: FloatLayout): Float32Array {
  const { exponentBits, mantissaBits, bias, top, isNegativeZeroNaN } = layout
  const half = 1 << (exponentBits + mantissaBits)
  const table = new Float32Array(2 * half)
  const lastExponent = (1 << exponentBits) - 1
  const mantissas = 1 << mantissaBits
  for (let pattern = 0; pattern < half; pattern++) {
    const exponent = pattern >> mantissaBits
    const mantissa = pattern & (mantissas - 1)
    let value = exponent === 0 ? (mantissa / mantissas) * 2 ** (1 - bias) : (1 + mantissa / mantissas) * 2 ** (exponent - bias)
    if (exponent === lastExponent && top === 'ieee') value = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN
    if (pattern === half - 1 && top === 'one-nan') value = Number.NaN
    table[pattern] = value
    table[half + pattern] = -value
  }
  if (isNegativeZeroNaN) table[half] = Number.NaN
  return table
}

/** Powers of two from 2^-127 to 2^127; the last pattern is NaN. */
function exponentTable(): Float32Array {
  const table = new Float32Array(256)
  for (let pattern = 0; pattern < 255; pattern++) table[pattern] = 2 ** (pattern - 127)
  table[255] = Number.NaN
  return table
}
