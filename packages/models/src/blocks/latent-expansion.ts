/**
 * The matrices that take a compressed row to each head's keys and values, as float32 tables by head: rows of one matrix in turn (keys of a head, then
 * its values), or apart, with the keys' transposed (llama.cpp since 2025).
 */
import type { Decoder } from '../decoder/decoder.ts'
import type { LatentExpansion, LatentSizes } from './latent-attention.ts'

/** @param prefix  e.g. `model.layers.0.self_attn` */
export function latentExpansion({ weights }: Decoder, prefix: string, { heads, rank, plainDim, valueDim }: LatentSizes): LatentExpansion {
  if (weights.has(`${prefix}.k_b_proj.weight`)) {
    return {
      key: weights.vector(`${prefix}.k_b_proj.weight`, [heads, rank, plainDim]),
      isKeyTransposed: true,
      value: weights.vector(`${prefix}.v_b_proj.weight`, [heads, valueDim, rank]),
    }
  }
  const both = plainDim + valueDim
  const part = (first: number, width: number) =>
    weights.rows(`${prefix}.kv_b_proj.weight`, {
      stored: [heads * both, rank],
      order: Int32Array.from({ length: heads * width }, (_, row) => Math.floor(row / width) * both + first + (row % width)),
      dims: [heads, width, rank],
    })
  return { key: part(0, plainDim), isKeyTransposed: false, value: part(plainDim, valueDim) }
}
