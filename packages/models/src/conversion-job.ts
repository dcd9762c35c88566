/** What another thread needs to convert weights of the same model: it opens the checkpoint and builds the graph itself. Plain data. */
import type { StorageType } from '@foretoken/kv-cache'
import type { LoraAdapter } from './adapters/lora-adapter.ts'
import type { OutputSet } from './decoder/outputs.ts'
import type { Packing } from './decoder/weight-formats.ts'

export interface ConversionJob {
  /** Path of the checkpoint. */
  readonly checkpoint: string
  readonly layers: number
  readonly packing: Packing
  readonly cacheType: StorageType
  readonly outputs: OutputSet
  readonly adapters: readonly LoraAdapter[]
  /** Most threads that may convert at the same time, this one included. */
  readonly threads: number
}
