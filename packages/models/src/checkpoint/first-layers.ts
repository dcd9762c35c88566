/**
 * A checkpoint cut off behind its first layers: their output goes through the model's own final norm and head. Untrained for that, it is a poor model and
 * a draft of the whole one, whose first layers have the same rows (self-speculation without an adapter; Zhang et al. 2023 skip layers in the same spirit).
 */
import { ArgumentError } from '@foretoken/tensor'
import { type ConfigReader, LAYER_COUNTS } from '../config/config-reader.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Lists with an entry for each layer. */
const LAYER_LISTS = ['layer_types', 'no_rope_layers', 'attention_layers']

/**
 * The same files with fewer layers. They are closed with either.
 *
 * @throws {ArgumentError} unless `layers` is a whole number from 1 to those of the checkpoint, and the checkpoint can be described anew
 */
export function withFirstLayers(checkpoint: Checkpoint, layers: number): Checkpoint {
  const { config } = checkpoint.description
  if (!Number.isSafeInteger(layers) || layers < 1 || layers > config.layers) {
    throw new ArgumentError({ field: 'layers', found: String(layers), expected: `a whole number from 1 to ${config.layers}` })
  }
  if (layers === config.layers) return checkpoint
  if (checkpoint.describeFirst === undefined) {
    throw new ArgumentError({
      field: 'layers',
      found: 'a checkpoint without describeFirst',
      expected: 'one that can be described with fewer layers',
    })
  }
  const description = checkpoint.describeFirst(layers)
  const rest = Array.from({ length: config.layers - layers }, (_, i) => layers + i)
  const names = new RegExp(`(^|\\.)(layers|h|blk|blocks)\\.(${rest.join('|')})\\.`)
  const reason = `the model was opened with its first ${layers} layers of ${config.layers}`
  return { ...checkpoint, description: { ...description, passedOver: [...(description.passedOver ?? []), { names, reason }] } }
}

/** The configuration as it would be with fewer layers. */
export function configOfFirstLayers(config: ConfigReader, layers: number): ConfigReader {
  const cut = <T>(key: string, list: readonly T[]): readonly T[] => (LAYER_LISTS.includes(key) ? list.slice(0, layers) : list)
  return {
    ...config,
    count: (key, fallback) => (LAYER_COUNTS.includes(key) ? layers : config.count(key, fallback)),
    number: (key, fallback) => (LAYER_COUNTS.includes(key) ? layers : config.number(key, fallback)),
    numbers: (key) => cut(key, config.numbers(key)),
    strings(key) {
      const found = config.strings(key)
      return found === undefined ? undefined : cut(key, found)
    },
    object(key) {
      const found = config.object(key)
      return found === undefined ? undefined : configOfFirstLayers(found, layers)
    },
  }
}
