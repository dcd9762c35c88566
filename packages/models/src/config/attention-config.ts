/** Head counts and widths, as nearly every decoder's configuration has them, checked against each other. */
import type { ConfigReader } from './config-reader.ts'

export interface AttentionConfig {
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/**
 * @param defaults  what the model type assumes when the file does not say: `kvHeads` (as many as heads), `headDim` (hidden / heads);
 *                  `hidden` and `heads` have to stand in the file unless published files of the type leave them out
 */
export function readAttentionConfig(
  config: ConfigReader,
  defaults: { readonly hidden?: number; readonly heads?: number; readonly kvHeads?: number; readonly headDim?: number } = {},
): AttentionConfig {
  const hidden = config.count('hidden_size', defaults.hidden)
  const heads = config.count('num_attention_heads', defaults.heads)
  const kvHeads = config.isNull('num_key_value_heads') ? heads : config.count('num_key_value_heads', defaults.kvHeads ?? heads)
  if (kvHeads > heads || heads % kvHeads !== 0) {
    config.refuse('num_key_value_heads', `${kvHeads} for ${heads} attention heads`, 'a number that divides num_attention_heads')
  }
  const stated = config.optionalCount('head_dim') ?? defaults.headDim
  if (stated === undefined && hidden % heads !== 0) {
    config.refuse(
      'num_attention_heads',
      `${heads} heads for a hidden_size of ${hidden}`,
      'a number that divides hidden_size, or a head_dim',
    )
  }
  return { hidden, heads, kvHeads, headDim: stated ?? hidden / heads }
}

/** Which layers attend within a window: `layer_types` where it stands, else what the model type's rule says. */
export function readWindows(
  config: ConfigReader,
  layers: number,
  rule: { readonly window: number | undefined; readonly isWindowed: (layer: number) => boolean },
): readonly (number | undefined)[] {
  const types = config.strings('layer_types')
  if (types !== undefined && types.length !== layers) {
    config.refuse('layer_types', `${types.length} entries`, `${layers}, one for each layer`)
  }
  return Array.from({ length: layers }, (_, layer) => {
    const type = types?.[layer]
    if (type === undefined) return rule.isWindowed(layer) ? rule.window : undefined
    if (type === 'full_attention') return undefined
    if (type !== 'sliding_attention') config.refuse('layer_types', JSON.stringify(type), 'full_attention or sliding_attention')
    return rule.window ?? config.refuse('sliding_window', 'nothing', 'a window for the layers of type sliding_attention')
  })
}
