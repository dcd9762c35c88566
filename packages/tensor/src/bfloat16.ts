/**
 * bfloat16 as bits in a Uint16Array: the upper half of a float32. Encoding rounds to nearest, ties to even; every NaN becomes the
 * quiet NaN 0x7fc0; decoding is exact.
 */
import { ShapeError } from './errors.ts'

const NAN_BITS = 0x7fc0

/** The bits of the bfloat16 nearest to each value; into `target` when given. @throws {ShapeError} when the lengths differ */
export function encodeBFloat16(source: Float32Array, target: Uint16Array = new Uint16Array(source.length)): Uint16Array {
  checkLengths(source, target)
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length)
  for (let i = 0; i < bits.length; i++) {
    const one = bits[i] ?? 0
    target[i] = (one & 0x7fffffff) > 0x7f800000 ? NAN_BITS : (one + 0x7fff + ((one >>> 16) & 1)) >>> 16
  }
  return target
}

/** The value of bfloat16 bits; into `target` when given. @throws {ShapeError} when the lengths differ */
export function decodeBFloat16(source: Uint16Array, target: Float32Array = new Float32Array(source.length)): Float32Array {
  checkLengths(source, target)
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] ?? 0) << 16
  return target
}

function checkLengths(source: ArrayLike<unknown>, target: ArrayLike<unknown>): void {
  if (source.length !== target.length) {
    throw new ShapeError({ field: 'target', found: `${target.length} elements`, expected: `${source.length}` })
  }
}
