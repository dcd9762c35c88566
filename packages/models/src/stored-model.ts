/**
 * A model as the runtime opens it: graph bytes, and one file of weights beside them. On disk the weights are written once, one
 * group at a time, and mapped by the runtime; in memory they are one array.
 */
import { type EncodedModel, externalChunks } from '@foretoken/graph'
import type { GraphSource } from '@foretoken/runtime'
import type { ConversionJob } from './conversion-job.ts'

/** Name of the file of weights, as the graph's tensors name it. */
export const WEIGHTS_LOCATION = 'weights.bin'

export interface StoreOptions {
  /** Where converted weights are kept for later starts; without it they are temporary. */
  readonly folder?: string
  /** What the weights were converted from; without it they cannot be kept. */
  readonly fingerprint?: string
  /** How other threads can help; without it one converts all. */
  readonly conversion?: ConversionJob
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

export async function storeInMemory(model: EncodedModel, { onProgress, signal }: StoreOptions): Promise<StoredModel> {
  const totalBytes = externalBytes(model)
  const data = new Uint8Array(totalBytes)
  for await (const { offset, bytes } of externalChunks(model.external, signal === undefined ? {} : { signal })) {
    data.set(bytes, offset)
    onProgress?.({ doneBytes: offset + bytes.byteLength, totalBytes })
  }
  const externalData = totalBytes === 0 ? [] : [{ path: WEIGHTS_LOCATION, data }]
  return {
    source: { kind: 'bytes', bytes: model.bytes(), externalData },
    weightsBytes: totalBytes,
    graphBytes: model.byteLength,
    note: 'converted weights are held in memory',
    release: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
