/**
 * How cached keys and values are held. Half the bytes are a sixth less time at 2,048 tokens of context and some less at 512; at 16 the casts
 * cost up to a twelfth (SmolLM2-135M in rows of integers, two threads; runs differed). The rounding is far finer than that of the weights, so
 * it is done where these are rounded. The graph rounds new rows in the same way before anything attends to them: a row is the same bits in
 * the step that makes it and in all that follow.
 */
import type { StorageType } from '@foretoken/kv-cache'
import { losslessFormat } from '@foretoken/weights'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import type { Packing } from './weight-formats.ts'

export const CACHE_FORMATS = ['auto', 'float32', 'float16'] as const
export type CacheFormat = (typeof CACHE_FORMATS)[number]

export function cacheTypeFor(cache: CacheFormat, { format }: Pick<Packing, 'format'>, { weights }: Checkpoint): StorageType {
  if (cache !== 'auto') return cache
  if (format === 'f32') return 'float32'
  if (format !== 'auto' && format !== 'stored') return 'float16'
  const tensors = [...weights.store.tensors.values()]
  return tensors.every(({ encoding, shape }) => shape.length < 2 || losslessFormat(encoding)?.kind === 'f32') ? 'float32' : 'float16'
}
