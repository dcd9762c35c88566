/**
 * float16 (IEEE 754 binary16) as bits in a Uint16Array: sign, 5 bits of exponent, 10 of fraction. Rounding is to nearest, ties to
 * even; subnormals are kept; from 65520 on a value becomes infinite; every NaN becomes the quiet NaN 0x7e00 (with its sign bit dropped).
 *
 * Encoding is quicker by `Float16Array` than in integer arithmetic (so that is used where the engine has it); decoding is quickest by a
 * table of 256 kB.
 */
import { ShapeError } from './errors.ts'

const NAN_BITS = 0x7e00

const single = new Float32Array(1)
const singleBits = new Uint32Array(single.buffer)

let table: Float32Array | undefined

/** The bits of the float16 nearest to `value`, which is rounded to float32 first. */
export function float16FromNumber(value: number): number {
  single[0] = value
  return roundBits(singleBits[0] ?? 0)
}

/** The value of float16 bits; exact. */
export function numberFromFloat16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/**
 * Rounds float32 values to float16 bits.
 *
 * @param target  receives them; a fresh array when absent
 * @throws {ShapeError} when the lengths differ
 */
export function encodeFloat16(source: Float32Array, target: Uint16Array = new Uint16Array(source.length)): Uint16Array {
  checkLengths(source, target)
  if (typeof Float16Array === 'undefined') return encodeFloat16InIntegers(source, target)
  new Float16Array(target.buffer, target.byteOffset, target.length).set(source)
  // The payload of a NaN is the engine's choice; ours is one for all engines.
  for (let i = 0; i < target.length; i++) if (((target[i] ?? 0) & 0x7fff) > 0x7c00) target[i] = NAN_BITS
  return target
}

/** The same in integer arithmetic, for engines without `Float16Array`. @internal */
export function encodeFloat16InIntegers(source: Float32Array, target: Uint16Array): Uint16Array {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length)
  for (let i = 0; i < bits.length; i++) target[i] = roundBits(bits[i] ?? 0)
  return target
}

/**
 * The float32 values of float16 bits; exact.
 *
 * @param target  receives them; a fresh array when absent
 * @throws {ShapeError} when the lengths differ
 */
export function decodeFloat16(source: Uint16Array, target: Float32Array = new Float32Array(source.length)): Float32Array {
  checkLengths(source, target)
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => numberFromFloat16(bits))
  for (let i = 0; i < source.length; i++) target[i] = table[source[i] ?? 0] ?? 0
  return target
}

/** float32 bits to float16 bits. */
function roundBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return NAN_BITS
  if (magnitude >= 0x477ff000) return sign | 0x7c00 // 65520, half way to the first value that does not exist
  if (magnitude >= 0x38800000) {
    // Normal: drop 13 bits of fraction; half minus one, plus the last bit kept, makes ties go to even. The exponent bias falls by 112.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
  }
  if (magnitude <= 0x33000000) return sign // at most 2^-25, half the smallest subnormal
  const dropped = 126 - (magnitude >>> 23)
  const significand = (magnitude & 0x7fffff) | 0x800000
  const half = 1 << (dropped - 1)
  const kept = significand >>> dropped
  const rest = significand & ((1 << dropped) - 1)
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept)
}

function checkLengths(source: ArrayLike<unknown>, target: ArrayLike<unknown>): void {
  if (source.length !== target.length) {
    throw new ShapeError({ field: 'target', found: `${target.length} elements`, expected: `${source.length}` })
  }
}
