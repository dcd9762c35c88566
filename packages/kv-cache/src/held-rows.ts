/** How the numbers of rows are held: as float32, or as the bits of float16 for half the memory. */
import { decodeFloat16, encodeFloat16 } from '@foretoken/tensor'
import type { LayerRows } from './new-rows.ts'

export type StorageType = 'float32' | 'float16'

/** Numbers of type float32, or the bits of numbers of type float16. */
export type Elements = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>

/** Rows of one layer as they are held, laid out as in `LayerRows`. */
export interface HeldRows {
  readonly keys: Elements
  readonly values: Elements
}

export function allocate(storage: StorageType, count: number): Elements {
  return storage === 'float16' ? new Uint16Array(count) : new Float32Array(count)
}

/** Writes numbers from `offset` on, rounded where they are held in float16. */
export function store(source: Float32Array, target: Elements, offset: number): void {
  if (target instanceof Float32Array) target.set(source, offset)
  else encodeFloat16(source, target.subarray(offset, offset + source.length))
}

/** The same numbers in float32: in place where they are held so, else a copy. */
export function readRows({ keys, values }: HeldRows): LayerRows {
  return { keys: asFloat32(keys), values: asFloat32(values) }
}

function asFloat32(elements: Elements): Float32Array {
  return elements instanceof Float32Array ? elements : decodeFloat16(elements)
}
