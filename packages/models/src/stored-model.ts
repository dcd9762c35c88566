/**
 * A model as the runtime opens it: graph bytes, and one file of weights beside them. On disk the weights are written once, one
 * group at a time, and mapped by the runtime; in memory they are one array for each tensor.
 */
import { type EncodedModel, type ExternalChunk, externalChunks } from '@foretoken/graph'
import type { GraphSource } from '@foretoken/runtime'
import type { ConversionJob } from './conversion-job.ts'
import { lazyBytes } from './lazy-bytes.ts'

/** Name of the file of weights, as the graph's tensors name it. */
export const WEIGHTS_LOCATION = 'weights.bin'

export interface StoreOptions {
  /** Whether `onnxruntime-web` opens it: it copies each tensor into its heap, where the native library maps a file. */
  readonly isForWasm: boolean
  /** Where converted weights are kept for later starts; without it they are temporary. */
  readonly folder?: string
  /** What the weights were converted from, for those who look at what is kept. */
  readonly name?: string
  /** What the weights were converted from, as it is now; without it they cannot be kept. */
  readonly fingerprint?: string
  /** How other threads can help; without it one converts all. */
  readonly conversion?: ConversionJob
  /** What all that is kept in the folder may take; least recently used entries go first, never this one. */
  readonly limitBytes?: number
  readonly onProgress?: (progress: ConversionProgress) => void
  readonly signal?: AbortSignal
}

export interface ConversionProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** Disposed of after the session that reads it. */
export interface StoredModel extends AsyncDisposable {
  readonly source: GraphSource
  readonly weightsBytes: number
  readonly graphBytes: number
  /** What a reader of the plan should know: kept, reused, temporary, or why not on disk. */
  readonly note: string
  /** Texts that later starts from the same weights find again; absent where weights are not kept. */
  readonly kept?: KeptTexts
  /** To be called when the session is open: takes away temporary files whose contents are mapped by then. */
  release(): Promise<void>
}

/** Small texts by name. What cannot be written is not kept. */
export interface KeptTexts {
  read(name: string): Promise<string | undefined>
  write(name: string, text: string): Promise<void>
}

export function externalBytes(model: EncodedModel): number {
  return model.external.reduce((end, { offset, length }) => Math.max(end, offset + length), 0)
}

/** For the native library where it cannot have a file: it takes the weights as one array. */
export async function storeAsOneArray(model: EncodedModel, { onProgress, signal }: StoreOptions): Promise<StoredModel> {
  const totalBytes = externalBytes(model)
  const data = new Uint8Array(totalBytes)
  for await (const { offset, bytes } of externalChunks(model.external, signal === undefined ? {} : { signal })) {
    data.set(bytes, offset)
    onProgress?.({ doneBytes: offset + bytes.byteLength, totalBytes })
  }
  return inMemory(model, data)
}

/** Tensors up to this size stay until the session is open: what the library computes in advance (biases, tables) it reads more than once. */
const FOLDED_BYTES = 2 ** 20

export async function storeInMemory(model: EncodedModel, { onProgress, signal }: StoreOptions): Promise<StoredModel> {
  const totalBytes = externalBytes(model)
  const chunks = (async function* () {
    for await (const chunk of externalChunks(model.external, signal === undefined ? {} : { signal })) {
      // a view of a source or of a group that stays alive would keep all of it
      yield { ...chunk, bytes: chunk.bytes.slice() }
      onProgress?.({ doneBytes: chunk.offset + chunk.bytes.byteLength, totalBytes })
    }
  })()
  return heldModel(model, chunks)
}

/**
 * Weights in memory, one array for each place, because one array of gigabytes is refused by many browsers. The library copies each tensor into its heap;
 * what all tensors of a place have been read of is let go, so that weights are not held twice while a session opens.
 *
 * @param chunks  by ascending offset; owned from here on
 */
export async function heldModel(model: EncodedModel, chunks: AsyncIterable<ExternalChunk>): Promise<StoredModel> {
  const totalBytes = externalBytes(model)
  const held = new Map<number, Uint8Array>()
  for await (const { offset, bytes } of chunks) held.set(offset, bytes)
  const readers = new Map<number, number>()
  for (const { offset } of model.external) readers.set(offset, (readers.get(offset) ?? 0) + 1)
  const take = (offset: number, length: number): Uint8Array => {
    const bytes = held.get(offset)
    if (bytes === undefined || bytes.byteLength < length) throw new RangeError(`no weights of ${length} bytes at ${offset}`)
    const left = (readers.get(offset) ?? 1) - 1
    readers.set(offset, left)
    if (left === 0 && bytes.byteLength > FOLDED_BYTES) held.delete(offset)
    return bytes.subarray(0, length)
  }
  return inMemory(model, lazyBytes(totalBytes, take))
}

function inMemory(model: EncodedModel, data: Uint8Array): StoredModel {
  const nothing = () => Promise.resolve()
  return {
    source: { kind: 'bytes', bytes: model.bytes(), externalData: data.byteLength === 0 ? [] : [{ path: WEIGHTS_LOCATION, data }] },
    weightsBytes: data.byteLength,
    graphBytes: model.byteLength,
    note: 'converted weights are held in memory',
    release: nothing,
    [Symbol.asyncDispose]: nothing,
  }
}
