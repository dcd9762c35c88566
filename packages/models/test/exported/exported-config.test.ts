/** Sizes that a graph leaves open come from the configuration, and what attention operators state is checked against it. */
import { describe, expect, test } from 'vitest'
import { configReader } from '../../src/config/config-reader.ts'
import { describeExported } from '../../src/exported/exported-config.ts'
import type { ExportedInterface } from '../../src/exported/exported-interface.ts'

const OPEN = { kvHeads: undefined, keyDim: undefined, valueDim: undefined }
const SIZES = {
  model_type: 'llama',
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  vocab_size: 256,
}

const describeWith = (config: object, graph: Partial<ExportedInterface> = {}) =>
  describeExported(configReader({ ...SIZES, ...config }, 'config.json'), {
    tokensType: 'int64',
    countsPositions: false,
    hasCacheBranch: false,
    branches: false,
    layers: [OPEN, OPEN],
    cacheLayout: 'separate',
    cacheType: 'float32',
    logitsType: 'float32',
    statedAttention: [],
    inlineBytes: 0,
    externalLocations: [],
    ...graph,
  })

describe('the rows of the cache', () => {
  test.each([
    ['grouped heads', {}, { kvHeads: 2, keyDim: 16, valueDim: 16 }],
    ['a head width of their own', { head_dim: 24 }, { kvHeads: 2, keyDim: 24, valueDim: 24 }],
    ['no number of their own: as many as queries', { num_key_value_heads: null }, { kvHeads: 4, keyDim: 16, valueDim: 16 }],
    [
      'latent attention, with head_dim for its turned part',
      { num_key_value_heads: 4, head_dim: 8, qk_rope_head_dim: 8, qk_nope_head_dim: 16, v_head_dim: 12 },
      { kvHeads: 4, keyDim: 24, valueDim: 12 },
    ],
    [
      'a Falcon with one head, whatever num_kv_heads says',
      { num_key_value_heads: null, num_kv_heads: 4, multi_query: true, new_decoder_architecture: false },
      { kvHeads: 1, keyDim: 16, valueDim: 16 },
    ],
  ])('%s', (_, config, expected) => {
    expect(describeWith(config).layers).toEqual([expected, expected])
  })

  test('a Falcon with groups may cache its heads repeated, another model may not', () => {
    const layer = { kvHeads: 4, keyDim: 16, valueDim: 16 }
    const groups = { num_key_value_heads: null, num_kv_heads: 2, multi_query: true, new_decoder_architecture: true }
    expect(describeWith(groups, { layers: [layer, layer] }).layers).toEqual([layer, layer])
    expect(() => describeWith({}, { layers: [layer, layer] })).toThrow(/num_key_value_heads: found 2 heads of keys and values, expected 4/)
  })

  test('other heads of keys and values than the attention of the graph states: refused', () => {
    const statedAttention = [{ heads: 4, kvHeads: 2, window: undefined }]
    expect(describeWith({}, { statedAttention }).config.kvHeads).toBe(2)
    expect(() => describeWith({ num_key_value_heads: 4 }, { statedAttention })).toThrow(
      /num_key_value_heads: found 4 heads of keys and values, expected 2, as in the graph's attention/,
    )
  })
})

describe('what the graph lacks of the configuration', () => {
  const attention = (window: number | undefined) => ({ statedAttention: [{ heads: 4, kvHeads: 2, window }] })
  const longrope = { max_position_embeddings: 64, original_max_position_embeddings: 16, rope_scaling: { type: 'longrope' } }

  test.each([
    ['a window that its attention does not state', { sliding_window: 32 }, attention(undefined), 32],
    ['nothing, when some attention states a window', { sliding_window: 32 }, attention(32), undefined],
    ['nothing, when the window is switched off', { sliding_window: 32, use_sliding_window: false }, attention(undefined), undefined],
    ['nothing, when attention was traced', { sliding_window: 32 }, {}, undefined],
    ['the long factors, when nothing branches', longrope, {}, 16],
    ['nothing, when the graph branches', longrope, { branches: true }, undefined],
    ['nothing, when both tables are in one', longrope, { positionRows: 80 }, undefined],
    ['the sooner of both', { ...longrope, sliding_window: 8 }, attention(undefined), 8],
    ['the stretched base', { max_position_embeddings: 32, rope_parameters: { rope_type: 'dynamic', factor: 2 } }, {}, 32],
    ['nothing, with another rope', { max_position_embeddings: 32, rope_scaling: { rope_type: 'linear', factor: 2 } }, {}, undefined],
  ])('%s', (_, config, graph, from) => {
    expect(describeWith(config, graph).lost?.from).toBe(from)
  })
})
