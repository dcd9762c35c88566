/** Head counts of decoders from before grouped queries: every head has its own key and value, and together they are as wide as the model. */
import { keyAmong } from './aliased-keys.ts'
import type { AttentionConfig } from './attention-config.ts'
import type { ConfigReader } from './config-reader.ts'

type Names = readonly [string, ...string[]]

/**
 * @param names  the names under which the model type's files have the width and the number of heads
 * @throws {ConfigError} when the heads do not divide the width
 */
export function readEqualHeads(config: ConfigReader, names: { readonly hidden: Names; readonly heads: Names }): AttentionConfig {
  const hidden = config.count(keyAmong(config, names.hidden))
  const headsKey = keyAmong(config, names.heads)
  const heads = config.count(headsKey)
  if (hidden % heads !== 0) config.refuse(headsKey, `${heads} heads for a width of ${hidden}`, 'a number that divides the width')
  return { hidden, heads, kvHeads: heads, headDim: hidden / heads }
}
