/** Writing the tensors that lie outside of the model file, and loading deferred ones. */
import { GraphDataError } from '../errors.ts'
import type { Graph } from '../graph.ts'
import { type DataGroup, type InitializerData, isDeferred } from '../node.ts'
import { bytesView, checkInsideBytes, type EncodedModel, type EncodeOptions, type ExternalTensor, encodeResolved } from './model.ts'

/** Bytes that belong at an offset of the file of weights. */
export interface ExternalChunk {
  readonly name: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * The tensors of the file of weights by ascending offset. Each group of deferred data is loaded when its first tensor is due
 * and let go after its last, so whoever writes them holds one group at a time. Gaps between chunks are zeros.
 *
 * @param options.part  only every `of`-th group, from the one at `index` on, so that several threads share the work; what is no group belongs to the first part
 * @throws {GraphDataError} when a loaded part is missing or has another length than its tensor
 */
export async function* externalChunks(
  external: readonly ExternalTensor[],
  {
    signal,
    part = { index: 0, of: 1 },
  }: { readonly signal?: AbortSignal; readonly part?: { readonly index: number; readonly of: number } } = {},
): AsyncGenerator<ExternalChunk, void, undefined> {
  let group: DataGroup | undefined
  const order = new Map<DataGroup, number>()
  let parts: Readonly<Record<string, ArrayBufferView>> = {}
  let writtenTo = 0
  for (const { name, offset, length, data } of external) {
    signal?.throwIfAborted()
    // several tensors may lie in the same place
    if (length > 0 && offset + length <= writtenTo) continue
    writtenTo = offset + length
    if (isDeferred(data) && !order.has(data.group)) order.set(data.group, order.size)
    const place = isDeferred(data) ? (order.get(data.group) ?? 0) : 0
    if (place % part.of !== part.index) continue
    if (isDeferred(data) && data.group !== group) {
      parts = {}
      parts = await data.group.load()
      group = data.group
    }
    yield { name, offset, bytes: partBytes(name, length, data, parts) }
  }
}

/** The model with all tensors inside; deferred data are loaded, each group once. */
export async function encodeModelInline(graph: Graph, options: Omit<EncodeOptions, 'external'> = {}): Promise<EncodedModel> {
  checkInsideBytes(graph)
  const loaded = new Map<DataGroup, Readonly<Record<string, ArrayBufferView>>>()
  const resolved = new Map<string, Uint8Array>()
  for (const [name, { data, byteLength }] of graph.initializers) {
    if (!isDeferred(data)) continue
    const parts = loaded.get(data.group) ?? (await data.group.load())
    loaded.set(data.group, parts)
    resolved.set(name, partBytes(name, byteLength, data, parts))
  }
  return encodeResolved(graph, options, resolved)
}

function partBytes(name: string, length: number, data: InitializerData, parts: Readonly<Record<string, ArrayBufferView>>): Uint8Array {
  const view = isDeferred(data) ? parts[data.part] : data
  if (view === undefined || view.byteLength !== length) {
    const found = view === undefined ? `no part '${isDeferred(data) ? data.part : ''}'` : `${view.byteLength} bytes`
    throw new GraphDataError({ tensor: name, found, expected: `${length} bytes` })
  }
  return bytesView(view)
}
