import { describe, expect, test } from 'vitest'
import { gemma2 } from '../../src/architectures/gemma2.ts'
import { gemma3 } from '../../src/architectures/gemma3.ts'
import { configReader } from '../../src/config/config-reader.ts'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, text, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'

const plusOne = (name: string, { data }: NumericTensor) => (name.endsWith('norm.weight') ? { data: data.map((each) => each + 1) } : {})

const SANDWICH = {
  ...COMMON_PARTS,
  post_attention_layernorm: 'post_attention_norm',
  pre_feedforward_layernorm: 'ffn_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
}

describe('GGUF', () => {
  test('Gemma with 1 folded into its norms gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('gemma')
    await using gguf = await asGguf(folder, {
      architecture: 'gemma',
      metadata: {
        context_length: uint32(256),
        embedding_length: uint32(64),
        block_count: uint32(2),
        feed_forward_length: uint32(96),
        'attention.head_count': uint32(4),
        'attention.head_count_kv': uint32(1),
        'attention.layer_norm_rms_epsilon': float32(1e-6),
        'attention.key_length': uint32(24),
        'attention.value_length': uint32(24),
      },
      tensor: (name, tensor) => ({
        name: ggufName(name, { ...COMMON_PARTS, post_attention_layernorm: 'ffn_norm' }),
        ...plusOne(name, tensor),
      }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('Gemma 2 gives the bits of its safetensors; the scale of the scores follows from the head width', async () => {
    await using folder = await changedCopy('gemma2', { config: { query_pre_attn_scalar: 16 } })
    const { inputIds } = await checkpointFixture('gemma2')
    await using gguf = await asGguf(folder.path, {
      architecture: 'gemma2',
      metadata: {
        context_length: uint32(256),
        embedding_length: uint32(64),
        block_count: uint32(4),
        feed_forward_length: uint32(64),
        'attention.head_count': uint32(4),
        'attention.head_count_kv': uint32(2),
        'attention.layer_norm_rms_epsilon': float32(1e-6),
        'attention.key_length': uint32(16),
        'attention.value_length': uint32(16),
        'attention.sliding_window': uint32(8),
        attn_logit_softcapping: float32(3),
        final_logit_softcapping: float32(6),
      },
      tensor: (name, tensor) => ({ name: ggufName(name, SANDWICH), ...plusOne(name, tensor) }),
    })
    await expectSameLogits(gguf.path, folder.path, inputIds[0] ?? [])
  })

  test('Gemma 3 gives the bits of its safetensors; only the layers without a window have the scaled rope', async () => {
    await using folder = await changedCopy('gemma3_text', { config: { query_pre_attn_scalar: 16 } })
    const { inputIds } = await checkpointFixture('gemma3_text')
    await using gguf = await asGguf(folder.path, {
      architecture: 'gemma3',
      metadata: {
        context_length: uint32(256),
        embedding_length: uint32(64),
        block_count: uint32(6),
        feed_forward_length: uint32(48),
        'attention.head_count': uint32(4),
        'attention.head_count_kv': uint32(1),
        'attention.layer_norm_rms_epsilon': float32(1e-6),
        'attention.key_length': uint32(16),
        'attention.value_length': uint32(16),
        'attention.sliding_window': uint32(8),
        'rope.freq_base': float32(1_000_000),
        'rope.scaling.type': text('linear'),
        'rope.scaling.factor': float32(8),
      },
      tensor: (name, tensor) => ({
        name: ggufName(name, { ...SANDWICH, 'self_attn.q_norm': 'attn_q_norm', 'self_attn.k_norm': 'attn_k_norm' }),
        ...plusOne(name, tensor),
      }),
    })
    await expectSameLogits(gguf.path, folder.path, inputIds[0] ?? [])
  })
})

test('a GGUF of Gemma 3 may say how often a layer sees everything, and hold a vision tower beside the language model', async () => {
  await using folder = await changedCopy('gemma3_text', { config: { query_pre_attn_scalar: 16, sliding_window_pattern: 3 } })
  const { inputIds } = await checkpointFixture('gemma3_text')
  await using gguf = await asGguf(folder.path, {
    architecture: 'gemma3',
    metadata: {
      block_count: uint32(6),
      embedding_length: uint32(64),
      feed_forward_length: uint32(48),
      context_length: uint32(256),
      'attention.head_count': uint32(4),
      'attention.head_count_kv': uint32(1),
      'attention.layer_norm_rms_epsilon': float32(1e-6),
      'attention.key_length': uint32(16),
      'attention.sliding_window': uint32(8),
      'attention.sliding_window_pattern': uint32(3),
      'rope.freq_base': float32(1_000_000),
      'rope.freq_base_swa': float32(10_000),
      'rope.scaling.type': text('linear'),
      'rope.scaling.factor': float32(8),
    },
    tensor: (name, tensor) => ({
      name: ggufName(name, { ...SANDWICH, 'self_attn.q_norm': 'attn_q_norm', 'self_attn.k_norm': 'attn_k_norm' }),
      ...plusOne(name, tensor),
    }),
    extra: new Map([['v.patch_embd.weight', { shape: [2], data: new Float32Array(2) }]]),
  })
  await expectSameLogits(gguf.path, folder.path, inputIds[0] ?? [])
})

test.each([
  // layers, width, heads, head width, and query_pre_attn_scalar of the published config.json
  ['2 2B', gemma2, 26, 2304, 8, 256, 256],
  ['2 27B', gemma2, 46, 4608, 32, 128, 144],
  ['3 4B', gemma3, 34, 2560, 8, 256, 256],
  ['3 27B', gemma3, 62, 5376, 32, 128, 168],
])('what divides the scores of a GGUF follows from the size: Gemma %s', (_, architecture, layers, hidden, heads, headDim, scalar) => {
  const numbers = new Map([
    ['block_count', layers],
    ['embedding_length', hidden],
    ['attention.head_count', heads],
    ['attention.key_length', headDim],
  ])
  const number = (key: string) => numbers.get(key)
  const nothing = () => undefined
  const metadata = { architecture: 'gemma', get: nothing, count: number, number, string: nothing, vector: nothing, shape: nothing }
  expect(architecture.gguf?.config({ ...metadata, has: () => false }).query_pre_attn_scalar).toBe(scalar)
})

test('sizes that the published files of Gemma 3 leave out are those of the reference', () => {
  // what the first published text_config of 4B says, and nothing else
  const text_config = {
    hidden_size: 2560,
    intermediate_size: 10_240,
    model_type: 'gemma3_text',
    num_hidden_layers: 34,
    rope_scaling: { factor: 8, rope_type: 'linear' },
    sliding_window: 1024,
  }
  const { config, layers } = gemma3.describe(configReader({ model_type: 'gemma3', text_config }, 'config.json'))
  expect(config).toEqual({
    modelType: 'gemma3',
    layers: 34,
    hidden: 2560,
    heads: 8,
    kvHeads: 4,
    headDim: 256,
    vocab: 262_208,
    maxPositions: 131_072,
    tiedEmbeddings: true,
  })
  expect(layers.slice(4, 7).map(({ window, rope }) => [window, rope?.kind])).toEqual([
    [1024, 'default'],
    [undefined, 'linear'],
    [1024, 'default'],
  ])
  // the second pair of a head of 256 turns by base^(-2 / 256), an eighth of that where the rope is scaled
  const second = layers.slice(4, 6).map(({ rope }) => rope?.inverseFrequencies(1)[1])
  expect(second[0]).toBeCloseTo(10_000 ** (-2 / 256), 6)
  expect(second[1]).toBeCloseTo(1_000_000 ** (-2 / 256) / 8, 6)
})

describe('Gemma 3 inside a checkpoint that sees images', () => {
  const multimodal = (prefix: string, vision: string) =>
    changedCopy('gemma3_text', {
      wholeConfig: ({ model_type: _, ...text_config }) => ({
        model_type: 'gemma3',
        text_config,
        vision_config: { hidden_size: 8 },
        mm_tokens_per_image: 4,
      }),
      tensors(tensors) {
        for (const [name, tensor] of [...tensors]) {
          tensors.delete(name)
          tensors.set(name.replace(/^model\./, prefix), tensor)
        }
        tensors.set(`${vision}vision_tower.vision_model.head.weight`, { shape: [2], data: new Float32Array(2) })
        tensors.set(`${vision}multi_modal_projector.mm_input_projection_weight`, { shape: [2], data: new Float32Array(2) })
      },
    })

  test.each([
    ['as first published', 'language_model.model.', ''],
    ['as later versions write it', 'model.language_model.', 'model.'],
  ])('%s, the language model gives the logits of the reference', async (_, prefix, vision) => {
    await using folder = await multimodal(prefix, vision)
    const { inputIds, expected } = await checkpointFixture('gemma3_text')
    const logits = await expected('logits')
    const found = await logitsOf(folder.path, inputIds[0] ?? [])
    expect(largestDifference(found, logits.subarray(0, logits.length / 2))).toBeLessThan(1e-4)
  })

  test('the plan says how many tensors of the vision tower are not used', async () => {
    await using folder = await multimodal('language_model.model.', '')
    await using lm = await loadCausalLM(folder.path, { format: 'f32', selfTest: false })
    expect(lm.config).toMatchObject({ modelType: 'gemma3', layers: 6 })
    expect(lm.plan.notes.join('\n')).toMatch(/2 tensors are not used .*vision_tower.*the parts that see images/)
  })

  test('a configuration without text_config is refused', async () => {
    await using folder = await changedCopy('gemma3_text', { config: { model_type: 'gemma3' } })
    await expect(loadCausalLM(folder.path)).rejects.toThrow(/text_config: found nothing/)
  })
})

test('the first released files of Gemma write gelu and mean its tanh approximation', async () => {
  await using folder = await changedCopy('gemma', { config: { hidden_act: 'gelu', hidden_activation: null } })
  const { folder: original, inputIds } = await checkpointFixture('gemma')
  await expectSameLogits(folder.path, original, inputIds[0] ?? [])
})

test('embeddings that are fed enter the first layer unscaled', async () => {
  const { folder, inputIds, expected } = await checkpointFixture('gemma')
  await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
  const tokens = inputIds[0] ?? []
  const states = await expected('hidden_states') // [layers + 1, 2, 24, 64]
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: states.slice(0, 24 * 64), cache, want: { logits: 'all' } })
  const reference = await expected('logits')
  expect(logits?.data.length).toBe(tokens.length * lm.config.vocab)
  expect(largestDifference(logits?.data ?? [], reference.subarray(0, reference.length / 2))).toBeLessThan(1e-4)
})

test.each([
  ['gemma', { use_bidirectional_attention: true }, /use_bidirectional_attention: found true/],
  ['gemma2', { use_bidirectional_attention: true }, /use_bidirectional_attention: found true/],
  ['gemma2', { attn_logit_softcapping: -1 }, /attn_logit_softcapping: found -1, expected a number above 0/],
  ['gemma2', { layer_types: ['full_attention'] }, /layer_types: found 1 entries, expected 4/],
  ['gemma3_text', { attn_logit_softcapping: 50 }, /attn_logit_softcapping: found 50, expected null/],
  ['gemma3_text', { use_bidirectional_attention: true }, /use_bidirectional_attention: found true/],
  ['gemma3_text', { hidden_activation: 'sine' }, /hidden_activation: found "sine"/],
])('%s with %o is refused', async (name, config, message) => {
  await using folder = await changedCopy(name, { config })
  await expect(loadCausalLM(folder.path, { format: 'f32' })).rejects.toThrow(message)
})
