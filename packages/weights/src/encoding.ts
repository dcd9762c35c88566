import type { TensorEncoding } from './weight-store.ts'

/** Elements are stored in blocks of `elements` that take `bytes`. Sub-byte types are blocks of the elements that fill whole bytes. */
export interface EncodingLayout {
  readonly elements: number
  readonly bytes: number
}

const LAYOUTS: Readonly<Record<TensorEncoding, EncodingLayout>> = {
  F64: { elements: 1, bytes: 8 },
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  F8_E4M3: { elements: 1, bytes: 1 },
  F8_E5M2: { elements: 1, bytes: 1 },
  F8_E4M3FNUZ: { elements: 1, bytes: 1 },
  F8_E5M2FNUZ: { elements: 1, bytes: 1 },
  F8_E8M0: { elements: 1, bytes: 1 },
  F4: { elements: 2, bytes: 1 },
  F6_E2M3: { elements: 4, bytes: 3 },
  F6_E3M2: { elements: 4, bytes: 3 },
  C64: { elements: 1, bytes: 8 },
  I64: { elements: 1, bytes: 8 },
  I32: { elements: 1, bytes: 4 },
  I16: { elements: 1, bytes: 2 },
  I8: { elements: 1, bytes: 1 },
  U64: { elements: 1, bytes: 8 },
  U32: { elements: 1, bytes: 4 },
  U16: { elements: 1, bytes: 2 },
  U8: { elements: 1, bytes: 1 },
  BOOL: { elements: 1, bytes: 1 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q8_0: { elements: 32, bytes: 34 },
  Q8_1: { elements: 32, bytes: 36 },
  Q2_K: { elements: 256, bytes: 84 },
  Q3_K: { elements: 256, bytes: 110 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
  Q8_K: { elements: 256, bytes: 292 },
  MXFP4: { elements: 32, bytes: 17 },
}

/** How many elements share how many bytes. */
export function layoutOf(encoding: TensorEncoding): EncodingLayout {
  return LAYOUTS[encoding]
}

/** Whether the bytes hold one integer or float per element, each at its own whole bytes. */
export function isPlain(encoding: TensorEncoding): boolean {
  return LAYOUTS[encoding].elements === 1
}

/**
 * The number of elements of a shape.
 *
 * @returns undefined when the product is beyond the integers that a double holds exactly
 */
export function elementsOf(shape: readonly number[]): number | undefined {
  let elements = 1
  for (const dimension of shape) {
    elements *= dimension
    if (elements > Number.MAX_SAFE_INTEGER) return undefined
  }
  return elements
}

/**
 * Bytes of so many elements.
 *
 * @returns undefined when they do not fill whole blocks or the number is beyond the exact integers
 */
export function bytesOf(encoding: TensorEncoding, elements: number): number | undefined {
  const { elements: blockElements, bytes: blockBytes } = LAYOUTS[encoding]
  if (elements % blockElements !== 0) return undefined
  const bytes = (elements / blockElements) * blockBytes
  return bytes > Number.MAX_SAFE_INTEGER ? undefined : bytes
}
