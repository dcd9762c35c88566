/** The numbers of multi-head latent attention as DeepSeek's configurations state them. */
import type { LatentSizes } from '../blocks/latent-attention.ts'
import type { ConfigReader } from './config-reader.ts'

export function readLatentSizes(config: ConfigReader): LatentSizes {
  return {
    heads: config.count('num_attention_heads'),
    rank: config.count('kv_lora_rank', 512),
    plainDim: config.count('qk_nope_head_dim', 128),
    rotaryDim: config.count('qk_rope_head_dim', 64),
    valueDim: config.count('v_head_dim', 128),
  }
}

/** Width of the compressed query; undefined where queries are projected at once, which the file says as null. */
export function readQueryRank(config: ConfigReader): number | undefined {
  return config.isNull('q_lora_rank') ? undefined : config.count('q_lora_rank', 1536)
}

/** What multiplies the scores: with YaRN, the square of `0.1 * mscale_all_dim * ln(factor) + 1` besides the width of a head. */
export function readLatentScale(config: ConfigReader, { plainDim, rotaryDim }: LatentSizes): number {
  const scaling = config.object('rope_parameters') ?? config.object('rope_scaling')
  const factor = scaling?.optionalNumber('factor') ?? 1
  const magnitude = factor <= 1 ? 1 : 0.1 * (scaling?.optionalNumber('mscale_all_dim') ?? 0) * Math.log(factor) + 1
  return magnitude ** 2 / Math.sqrt(plainDim + rotaryDim)
}
