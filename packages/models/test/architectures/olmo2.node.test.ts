import { describe, expect, test } from 'vitest'
import { olmo2 } from '../../src/architectures/olmo2.ts'
import { configReader } from '../../src/config/config-reader.ts'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

const PARTS = {
  ...COMMON_PARTS,
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'post_attention_norm',
  post_feedforward_layernorm: 'post_ffw_norm',
}

const metadata = {
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(128),
  'attention.head_count': uint32(4),
  'attention.head_count_kv': uint32(2),
  'attention.layer_norm_rms_epsilon': float32(1e-6),
  'rope.freq_base': float32(500_000),
}

describe('GGUF', () => {
  test('OLMo 2 gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('olmo2')
    await using gguf = await asGguf(folder, { architecture: 'olmo2', metadata, tensor: (name) => ({ name: ggufName(name, PARTS) }) })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('OLMo 3, with a window and the list of layers that have it, gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('olmo3')
    await using gguf = await asGguf(folder, {
      architecture: 'olmo2',
      metadata: {
        ...metadata,
        'attention.sliding_window': uint32(8),
        'attention.sliding_window_pattern': {
          type: 'array',
          elementType: 'bool',
          values: [
            { type: 'bool', value: true },
            { type: 'bool', value: false },
          ],
        },
      },
      tensor: (name) => ({ name: ggufName(name, PARTS) }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })
})

test('of OLMo 3 only the layers that see everything have the scaled rope', () => {
  const { layers } = olmo2.describe(
    configReader(
      {
        model_type: 'olmo3',
        hidden_size: 64,
        intermediate_size: 128,
        num_attention_heads: 4,
        num_hidden_layers: 4,
        vocab_size: 256,
        max_position_embeddings: 65_536,
        rope_theta: 500_000,
        rope_scaling: { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 8192, attention_factor: 1.2079441541679836 },
      },
      'config.json',
    ),
  )
  expect(layers.map(({ window, rope }) => [window, rope?.kind, rope?.attentionFactor])).toEqual([
    [4096, 'default', 1],
    [4096, 'default', 1],
    [4096, 'default', 1],
    [undefined, 'yarn', 1.2079441541679836],
  ])
})

test('the layers of OLMo 3 are those of OLMo 2, with the scaled rope where they see everything and the plain one in a window', async () => {
  const rope_scaling = { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 32 }
  const { inputIds } = await checkpointFixture('olmo3')
  const tokens = inputIds[0] ?? []
  // a window as long as the text hides nothing
  const layers = (type: string) => ({ rope_scaling, sliding_window: tokens.length, layer_types: [type, type] })
  await using full = await changedCopy('olmo3', { config: layers('full_attention') })
  await using scaled = await changedCopy('olmo3', { config: { model_type: 'olmo2', rope_scaling } })
  await expectSameLogits(full.path, scaled.path, tokens)
  await using sliding = await changedCopy('olmo3', { config: layers('sliding_attention') })
  await using plain = await changedCopy('olmo3', { config: { model_type: 'olmo2' } })
  await expectSameLogits(sliding.path, plain.path, tokens)
})

test('a list of layer types of another length is refused', async () => {
  await using folder = await changedCopy('olmo3', { config: { layer_types: ['full_attention'] } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/layer_types: found 1 entries, expected 2/)
})
