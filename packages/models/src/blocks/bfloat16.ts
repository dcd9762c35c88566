/** bfloat16: a float32 with the upper 16 bits only. Some models were trained with a term in it, and its rounding is part of them. */

const FLOAT = new Float32Array(1)
const BITS = new Uint32Array(FLOAT.buffer)

/** The nearest bfloat16 of a finite number, ties to even. */
export function roundToBfloat16(value: number): number {
  FLOAT[0] = value
  const bits = BITS[0] ?? 0
  BITS[0] = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000
  return FLOAT[0] ?? 0
}
