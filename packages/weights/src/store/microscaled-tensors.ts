/**
 * MXFP4 in safetensors: a tensor comes as two, `name_blocks` U8 [..., blocks, 16], whose bytes hold neighbouring elements, and `name_scales` U8
 * [..., blocks] with the exponents. Here they are one tensor again, `name_blocks` in the encoding MXFP4 with shape [..., blocks * 32] and the bytes of
 * ggml's layout. Put together when it is read, a few rows at a time if the caller asks for rows.
 */
import { MXFP4_BYTES } from '../decode/microscaled-blocks.ts'
import type { StoredTensor, TensorInfo, WeightStore } from '../weight-store.ts'

const BLOCKS = '_blocks'

/** @returns  a store without the pairs and with the tensors that they are; `store` itself when it has none. Disposing of it closes `store`. */
export function joinMicroscaled(store: WeightStore): WeightStore {
  const scalesOf = new Map<string, string>()
  const tensors = new Map<string, TensorInfo>(store.tensors)
  for (const [name, info] of store.tensors) {
    const scales = `${name.slice(0, -BLOCKS.length)}_scales`
    if (!name.endsWith(BLOCKS) || !arePair(info, store.tensors.get(scales))) continue
    const blocks = info.shape.at(-2) ?? 0
    scalesOf.set(name, scales)
    tensors.set(name, {
      ...info,
      encoding: 'MXFP4',
      shape: [...info.shape.slice(0, -2), blocks * 32],
      byteLength: (info.byteLength / 16) * MXFP4_BYTES,
    })
    tensors.delete(scales)
  }
  if (scalesOf.size === 0) return store
  return {
    format: store.format,
    metadata: store.metadata,
    tensors,
    async read(name, options) {
      const scales = scalesOf.get(name)
      const info = tensors.get(name)
      if (scales === undefined || info === undefined) return store.read(name, options)
      return joined(info, await store.read(name, options), await store.read(scales, options))
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function arePair(blocks: TensorInfo, scales: TensorInfo | undefined): boolean {
  if (scales === undefined || blocks.encoding !== 'U8' || scales.encoding !== 'U8') return false
  const { shape } = blocks
  return shape.length >= 3 && shape.at(-1) === 16 && scales.shape.join() === shape.slice(0, -1).join()
}

function joined(info: TensorInfo, blocks: StoredTensor, scales: StoredTensor): StoredTensor {
  const count = scales.bytes.byteLength
  const bytes = new Uint8Array(count * MXFP4_BYTES)
  for (let block = 0; block < count; block++) {
    const from = block * 16
    const to = block * MXFP4_BYTES
    bytes[to] = scales.bytes[block] ?? 0
    // byte j holds elements 2j and 2j + 1; elements j and j + 16 are wanted
    for (let j = 0; j < 16; j++) {
      const shift = 4 * (j & 1)
      const low = ((blocks.bytes[from + (j >> 1)] ?? 0) >> shift) & 15
      const high = ((blocks.bytes[from + 8 + (j >> 1)] ?? 0) >> shift) & 15
      bytes[to + 1 + j] = low | (high << 4)
    }
  }
  return { info, shape: [...blocks.shape.slice(0, -2), (blocks.shape.at(-2) ?? 0) * 32], bytes }
}
