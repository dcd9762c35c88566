/**
 * The same model in another of llama.cpp's formats: 4-bit tensors are decoded and quantised again, everything else (norms, the
 * 8-bit embedding that is also the head) is copied. Re-quantising loses quality, which is why perplexity stands beside speed.
 */
import { decodeToFloat32, type GgufValue, type MetadataValue, openWeights, quantizeBlocks, writeGguf } from '@foretoken/weights'

/** `general.file_type` of llama.cpp. */
const FILE_TYPES = { Q4_0: 2, Q8_0: 7 } as const
const FOUR_BITS = new Set(['Q4_0', 'Q4_1'])

export async function requantizedGguf(file: string, encoding: keyof typeof FILE_TYPES): Promise<readonly Uint8Array[]> {
  await using store = await openWeights(file)
  const tensors = []
  for (const { name } of store.tensors.values()) {
    const stored = await store.read(name)
    const { info, shape } = stored
    tensors.push(
      FOUR_BITS.has(info.encoding)
        ? { name, encoding, shape, bytes: quantizeBlocks(decodeToFloat32(stored), encoding) }
        : { name, encoding: info.encoding, shape, bytes: stored.bytes },
    )
  }
  const metadata = new Map([...store.metadata].map(([key, value]) => [key, typedValue(key, value)]))
  metadata.set('general.file_type', { type: 'uint32', value: FILE_TYPES[encoding] })
  return writeGguf(tensors, metadata)
}

/** Readers give plain numbers; llama.cpp wants the types that it writes itself, and the key tells which. */
export function typedValue(key: string, value: MetadataValue): GgufValue {
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'boolean') return { type: 'bool', value }
  if (typeof value === 'bigint') return { type: 'uint64', value }
  if (typeof value === 'number') return { type: isFraction(key) ? 'float32' : 'uint32', value }
  const values = value.map((element) => typedValue(key, element))
  const elementType = values[0]?.type ?? 'string'
  // Token types are signed in llama.cpp's files.
  if (elementType !== 'uint32') return { type: 'array', elementType, values }
  return { type: 'array', elementType: 'int32', values: value.map((element) => ({ type: 'int32', value: Number(element) })) }
}

function isFraction(key: string): boolean {
  return /(epsilon|freq_base|factor|scale|scores|softcapping)$/.test(key)
}
