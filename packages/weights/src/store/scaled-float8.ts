/**
 * 8-bit floats with a scale for each square of 128 rows and columns, as DeepSeek-V3 publishes them: `name` in F8_E4M3 [rows, columns] beside
 * `name_scale_inv` in F32 [rows / 128, columns / 128], both rounded up. Despite its name the scale multiplies. Here the pair is one tensor, which keeps
 * its encoding in the list and is read as F32: no format of linear layers holds such squares.
 */
import { decodeToFloat32 } from '../decode/decode.ts'
import type { StoredTensor, TensorInfo, WeightStore } from '../weight-store.ts'

const SCALES = '_scale_inv'
const SQUARE = 128

type ReadOptions = NonNullable<Parameters<WeightStore['read']>[1]>

/** @returns  a store without the scales, whose scaled tensors are read as F32; `store` itself when it has none. Disposing of it closes `store`. */
export function joinScaledFloat8(store: WeightStore): WeightStore {
  const tensors = new Map<string, TensorInfo>(store.tensors)
  const scaled = new Set<string>()
  for (const [scales, info] of store.tensors) {
    const name = scales.slice(0, -SCALES.length)
    if (!scales.endsWith(SCALES) || !arePair(store.tensors.get(name), info)) continue
    scaled.add(name)
    tensors.delete(scales)
  }
  if (scaled.size === 0) return store
  return {
    format: store.format,
    metadata: store.metadata,
    tensors,
    async read(name, options = {}) {
      const stored = await store.read(name, options)
      return scaled.has(name) ? withScales(stored, await scalesOf(name, options), options.firstRow ?? 0) : stored
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }

  /** All scales of a tensor: one number for 16,384 elements. */
  async function scalesOf(name: string, { signal }: ReadOptions): Promise<StoredTensor> {
    return store.read(`${name}${SCALES}`, signal === undefined ? {} : { signal })
  }
}

function arePair(tensor: TensorInfo | undefined, scales: TensorInfo): boolean {
  const [rows, columns] = tensor?.shape ?? []
  if (tensor?.encoding !== 'F8_E4M3' || tensor.shape.length !== 2 || rows === undefined || columns === undefined) return false
  return scales.encoding === 'F32' && scales.shape.join() === [Math.ceil(rows / SQUARE), Math.ceil(columns / SQUARE)].join()
}

function withScales(stored: StoredTensor, scales: StoredTensor, firstRow: number): StoredTensor {
  const values = decodeToFloat32(stored)
  const factors = decodeToFloat32(scales)
  const [rows = 0, columns = 0] = stored.shape
  const squares = Math.ceil(columns / SQUARE)
  for (let row = 0, at = 0; row < rows; row++) {
    const line = Math.floor((firstRow + row) / SQUARE) * squares
    for (let column = 0; column < columns; column++, at++) {
      values[at] = (values[at] ?? 0) * (factors[line + (column >> 7)] ?? 0)
    }
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return { info: { ...stored.info, encoding: 'F32', byteLength: bytes.byteLength }, shape: stored.shape, bytes }
}
