import { argmax } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'

const PARTS = {
  ...COMMON_PARTS,
  post_attention_layernorm: 'ffn_norm',
  'self_attn.qkv_proj': 'attn_qkv',
  'mlp.gate_up_proj': 'ffn_up',
}

const vector = (values: readonly number[]): NumericTensor => ({ shape: [values.length], data: Float32Array.from(values) })

const metadata = (kvHeads: number, rotaryDim: number) => ({
  context_length: uint32(64),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(128),
  'attention.head_count': uint32(4),
  'attention.head_count_kv': uint32(kvHeads),
  'attention.layer_norm_rms_epsilon': float32(1e-5),
  'attention.sliding_window': uint32(0),
  'rope.dimension_count': uint32(rotaryDim),
  'rope.freq_base': float32(10_000),
})

describe('GGUF', () => {
  test('Phi-3 with its fused weights gives the bits of its safetensors', async () => {
    await using folder = await changedCopy('phi3', { config: { sliding_window: null, max_position_embeddings: 64 } })
    const { inputIds } = await checkpointFixture('phi3')
    await using gguf = await asGguf(folder.path, {
      architecture: 'phi3',
      metadata: metadata(4, 16),
      tensor: (name) => ({ name: ggufName(name, PARTS) }),
    })
    await expectSameLogits(gguf.path, folder.path, inputIds[0] ?? [])
  })

  test('a partial LongRoPE is read from the tensors that hold its factors', async () => {
    // factors that float32 holds exactly, as the file has them in float32
    const short = [1, 1.015625, 1.0625, 1.125, 1.25, 1.375]
    const long = [1.125, 1.5, 2, 2.75, 3.5, 4.25]
    await using folder = await changedCopy('phi3-partial-longrope', {
      config: { rope_scaling: { type: 'longrope', short_factor: short, long_factor: long } },
    })
    const { inputIds } = await checkpointFixture('phi3-partial-longrope')
    await using gguf = await asGguf(folder.path, {
      architecture: 'phi3',
      metadata: {
        ...metadata(2, 12),
        'rope.scaling.original_context_length': uint32(16),
        'rope.scaling.attn_factor': float32(Math.sqrt(1 + Math.log(4) / Math.log(16))),
      },
      tensor: (name) => ({ name: ggufName(name, PARTS) }),
      extra: new Map([
        ['rope_factors_short.weight', vector(short)],
        ['rope_factors_long.weight', vector(long)],
      ]),
    })
    // the attention factor of the file is rounded to float32
    const tokens = inputIds[0] ?? []
    expect(largestDifference(await logitsOf(gguf.path, tokens), await logitsOf(folder.path, tokens))).toBeLessThan(1e-5)
  })
})

describe.each(['phi3-longrope', 'phi3-partial-longrope'])('%s', (name) => {
  test('a sequence within the length of the pretraining turns by the short factors', async () => {
    const { folder, inputIds, expected } = await checkpointFixture(name)
    const reference = await expected('short_logits') // [2, 12, vocab]
    const found = await logitsOf(folder, inputIds[0]?.slice(0, 12) ?? [])
    expect(largestDifference(found, reference.subarray(0, reference.length / 2))).toBeLessThan(1e-4)
  })

  test('a cache that is made again where the length of the pretraining is crossed gives the ids of a pass without a cache', async () => {
    const { folder, greedy } = await checkpointFixture(name)
    await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
    let cache = lm.createCache()
    const ids: number[] = []
    let tokens = Int32Array.from(greedy.prompt)
    while (ids.length < greedy.ids.length) {
      const sequenceLength = cache.length + tokens.length
      const { logits, rows } = await lm.forward({ tokens, cache, want: { logits: 'last' }, sequenceLength })
      cache.append(rows)
      ids.push(argmax(logits?.data ?? new Float32Array(0)))
      tokens = Int32Array.of(ids.at(-1) ?? 0)
      if (cache.length === 16) {
        await cache[Symbol.asyncDispose]()
        cache = lm.createCache()
        tokens = Int32Array.from([...greedy.prompt, ...ids])
      }
    }
    await cache[Symbol.asyncDispose]()
    expect(ids).toEqual(greedy.ids)
  })
})

test.each([
  [{ rope_scaling: { type: 'yarn', factor: 4 } }, /rope_scaling.type: found "yarn", expected one of default, longrope, su/],
  [{ rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] } }, /short_factor: found 1 factors, expected 8/],
  [{ num_key_value_heads: 3 }, /num_key_value_heads: found 3/],
])('%o is refused', async (config, message) => {
  await using folder = await changedCopy('phi3-longrope', { config })
  await expect(loadCausalLM(folder.path, { format: 'f32' })).rejects.toThrow(message)
})

test('the name su of early files is LongRoPE', async () => {
  const { folder, inputIds } = await checkpointFixture('phi3-longrope')
  await using copy = await changedCopy('phi3-longrope', {
    wholeConfig: (config) => ({ ...config, rope_scaling: { ...(config.rope_scaling as object), type: 'su' } }),
  })
  await expectSameLogits(copy.path, folder, inputIds[0] ?? [])
})
