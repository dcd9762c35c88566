import type { Tensor } from '@foretoken/tensor'
import { fixtureBytes } from './fixture-bytes.ts'

export function fixture(name: string): Promise<Uint8Array> {
  return fixtureBytes(new URL(`./fixtures/${name}`, import.meta.url))
}

export function plain<T extends Tensor['type']>(type: T, dims: readonly number[], data: Tensor<T>['data']): Tensor<T> {
  return { type, dims, data, location: 'cpu', size: dims.reduce((product, dim) => product * dim, 1) }
}

/** Feeds of `elements.onnx`; every array is a view that starts inside of a larger buffer. */
export function elementFeeds(rows = 2): Map<string, Tensor> {
  return new Map<string, Tensor>([
    ['single', plain('float32', [rows, 3], new Float32Array(2 + rows * 3).map((_, i) => i - 2).subarray(2))],
    ['half', plain('float16', [2], Uint16Array.of(0xffff, 0x3c00, 0xc100).subarray(1))],
    ['long', plain('int64', [2], BigInt64Array.of(7n, 2n ** 60n, -3n).subarray(1))],
    ['int', plain('int32', [], Int32Array.of(9, 21).subarray(1))],
    ['flag', plain('bool', [2], Uint8Array.of(9, 1, 0).subarray(1))],
    ['byte', plain('uint8', [2], Uint8Array.of(9, 200, 255).subarray(1))],
  ])
}
