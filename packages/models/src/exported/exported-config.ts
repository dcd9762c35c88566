/**
 * The configuration beside an exported graph, as far as the graph does not say the same itself: any `model_type`, under the names that
 * the hub's configurations have for the common sizes. What both say must agree.
 */
import type { ModelConfig } from '../causal-lm.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { ConfigError } from '../errors.ts'
import type { ExportedInterface } from './exported-interface.ts'
import { type Lost, lostInExport } from './lost-in-export.ts'

const NAMES = {
  layers: ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'],
  hidden: ['hidden_size', 'n_embd', 'd_model', 'dim'],
  heads: ['num_attention_heads', 'n_head', 'n_heads', 'num_heads'],
  kvHeads: ['num_key_value_heads', 'n_head_kv', 'num_kv_heads'],
  maxPositions: ['max_position_embeddings', 'n_positions', 'max_seq_len', 'seq_length', 'n_ctx'],
} as const

/** For configurations without a length (ALiBi). */
const DEFAULT_POSITIONS = 2048

/** The shape of a layer's rows in the cache. */
export interface ExportedRows {
  readonly kvHeads: number
  readonly keyDim: number
  readonly valueDim: number
  /** Rows of a buffer that the graph's operator slides: it is given at least so many. */
  readonly leastBuffer?: number
}

export interface ExportedDescription {
  readonly config: ModelConfig
  readonly layers: readonly ExportedRows[]
  readonly lost?: Lost
}

/** @throws {ConfigError} when a size is missing, or the graph says otherwise */
export function describeExported(whole: ConfigReader, graph: ExportedInterface): ExportedDescription {
  // models of several modalities keep the decoder's sizes apart
  const config = present(whole, NAMES.layers) === undefined ? (whole.object('text_config') ?? whole) : whole
  const layers = size(config, NAMES.layers) - (config.optionalCount('num_kv_shared_layers') ?? 0)
  if (layers !== graph.layers.length) {
    config.refuse(
      present(config, NAMES.layers) ?? NAMES.layers[0],
      `${layers} layers`,
      `${graph.layers.length}, as many as the graph caches`,
    )
  }
  const hidden = size(config, NAMES.hidden)
  const heads = size(config, NAMES.heads)
  const vocab = config.count('vocab_size')
  if (graph.vocab !== undefined && graph.vocab !== vocab) config.refuse('vocab_size', `${vocab}`, `${graph.vocab}, the logits of the graph`)

  // a Falcon of the second kind caches keys and values as often as queries use them
  const repeatsHeads = config.boolean('new_decoder_architecture', false)
  // one of the first kind has one head of them, whatever num_kv_heads says
  const isFirstFalcon = config.boolean('multi_query', false) && !repeatsHeads
  const kvHeadsKey = isFirstFalcon ? 'multi_query' : present(config, NAMES.kvHeads)
  const statedKvHeads = isFirstFalcon ? 1 : kvHeadsKey === undefined ? undefined : config.count(kvHeadsKey)
  const statedDim = keyDimOf(config)
  const shapes = graph.layers.map(({ kvHeads = statedKvHeads ?? heads, keyDim, valueDim, leastBuffer }): ExportedRows => {
    const dim = statedDim ?? hidden / heads
    return {
      kvHeads,
      keyDim: keyDim ?? wholeDim(config, dim),
      valueDim: valueDim ?? config.optionalCount('v_head_dim') ?? wholeDim(config, dim),
      ...(leastBuffer === undefined ? {} : { leastBuffer }),
    }
  })
  const [first] = shapes
  if (first === undefined) throw new RangeError('an exported decoder without layers')
  for (const { kvHeads } of shapes) {
    if (kvHeadsKey !== undefined && kvHeads !== statedKvHeads && !(repeatsHeads && kvHeads === heads)) {
      config.refuse(kvHeadsKey, `${statedKvHeads} heads of keys and values`, `${kvHeads}, as in the cache of the graph`)
    }
    if (heads % kvHeads !== 0) {
      config.refuse(
        present(config, NAMES.heads) ?? NAMES.heads[0],
        `${heads} heads`,
        `a multiple of ${kvHeads}, the heads that the graph caches`,
      )
    }
  }
  for (const stated of graph.statedAttention) {
    if (stated.heads !== heads) {
      config.refuse(present(config, NAMES.heads) ?? NAMES.heads[0], `${heads} heads`, `${stated.heads}, as in the graph's attention`)
    }
    if (stated.kvHeads !== first.kvHeads) {
      config.refuse(
        kvHeadsKey ?? NAMES.kvHeads[0],
        `${first.kvHeads} heads of keys and values`,
        `${stated.kvHeads}, as in the graph's attention`,
      )
    }
  }
  if (statedDim !== undefined && shapes.every(({ keyDim }) => keyDim !== statedDim)) {
    config.refuse('head_dim', `${statedDim}`, `${first.keyDim}, as in the cache of the graph`)
  }

  const maxKey = present(config, NAMES.maxPositions)
  const lost = lostInExport(config, graph)
  return {
    ...(lost === undefined ? {} : { lost }),
    config: {
      modelType: config.string('model_type', whole.string('model_type', 'exported')),
      layers: graph.layers.length,
      hidden,
      heads,
      kvHeads: first.kvHeads,
      headDim: first.keyDim,
      vocab,
      maxPositions: maxKey === undefined ? DEFAULT_POSITIONS : config.count(maxKey),
      tiedEmbeddings: config.boolean('tie_word_embeddings', false),
    },
    layers: shapes,
  }
}

/** The width of keys: with latent attention `head_dim` is the width of its turned part, where it is there at all. */
function keyDimOf(config: ConfigReader): number | undefined {
  const turned = config.optionalCount('qk_rope_head_dim')
  const still = config.optionalCount('qk_nope_head_dim')
  return turned === undefined || still === undefined ? config.optionalCount('head_dim') : turned + still
}

function present(config: ConfigReader, names: readonly string[]): string | undefined {
  return names.find((name) => config.has(name))
}

function size(config: ConfigReader, names: readonly [string, ...string[]]): number {
  return config.count(present(config, names) ?? names[0])
}

function wholeDim(config: ConfigReader, dim: number): number {
  if (Number.isInteger(dim)) return dim
  throw new ConfigError({ file: config.file, field: 'head_dim', found: 'nothing', expected: 'a head_dim, since the graph leaves it open' })
}
