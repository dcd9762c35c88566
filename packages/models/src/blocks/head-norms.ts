/**
 * Norms of queries and keys before the rotary embedding, which keep the scores from growing (Henry et al. 2020): over each head with a
 * scale that the heads share, over each head with a scale of its own, or over all heads as one row.
 */
import { layerNormalization, multiply, reshape, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import { type Norm, normalized, ones } from './norms.ts'

export type HeadNorms = SharedHeadNorms | OwnHeadNorms

export interface SharedHeadNorms {
  readonly query: Norm
  readonly key: Norm
  readonly over: 'head' | 'all-heads'
}

/** Layer norms without bias whose scales [heads, keyDim] and [kvHeads, keyDim] differ by head (Cohere, StableLM). */
export interface OwnHeadNorms {
  readonly query: Value
  readonly key: Value
  readonly over: 'own-head'
  readonly epsilon: number
}

/** rows [1, steps, heads * keyDim], normalised. */
export function headNormalized(
  decoder: Decoder,
  rows: Value,
  norms: HeadNorms,
  { which, heads, keyDim }: { readonly which: 'query' | 'key'; readonly heads: number; readonly keyDim: number },
): Value {
  const perHead = reshape(rows, [1, 'steps', heads, keyDim])
  if (norms.over === 'own-head') {
    // the operator has one scale for all rows: the heads' own are multiplied in after it
    const plain = layerNormalization(perHead, ones(decoder, [keyDim]), undefined, { epsilon: norms.epsilon })
    return reshape(multiply(plain, norms[which]), [1, 'steps', heads * keyDim])
  }
  if (norms.over === 'all-heads') return normalized(decoder, rows, norms[which], heads * keyDim)
  return reshape(normalized(decoder, perHead, norms[which], keyDim), [1, 'steps', heads * keyDim])
}
