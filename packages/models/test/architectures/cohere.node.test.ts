import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, text, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'

const PARTS = { ...COMMON_PARTS, 'self_attn.q_norm': 'attn_q_norm', 'self_attn.k_norm': 'attn_k_norm' }

const metadata = (layers: number, inner: number) => ({
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(layers),
  feed_forward_length: uint32(inner),
  'attention.head_count': uint32(4),
  'attention.head_count_kv': uint32(2),
  'attention.layer_norm_epsilon': float32(1e-5),
  'rope.freq_base': float32(10_000),
  'rope.scaling.type': text('none'),
  logit_scale: float32(0.75),
})

describe('GGUF', () => {
  test.each(['cohere', 'cohere-qk'])('%s gives the bits of its safetensors', async (name) => {
    const { folder, inputIds } = await checkpointFixture(name)
    await using gguf = await asGguf(folder, {
      architecture: 'command-r',
      metadata: metadata(2, 128),
      tensor: (tensor) => ({ name: ggufName(tensor, PARTS) }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('cohere2 gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('cohere2')
    await using gguf = await asGguf(folder, {
      architecture: 'cohere2',
      metadata: { ...metadata(4, 64), 'attention.sliding_window': uint32(8), 'rope.dimension_count': uint32(16) },
      tensor: (tensor) => ({ name: ggufName(tensor, PARTS) }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })
})

test('a list of layer types stands for the pattern', async () => {
  const types = ['sliding_attention', 'sliding_attention', 'sliding_attention', 'full_attention']
  await using folder = await changedCopy('cohere2', { config: { layer_types: types, sliding_window_pattern: undefined } })
  const { folder: original, inputIds } = await checkpointFixture('cohere2')
  await expectSameLogits(folder.path, original, inputIds[0] ?? [])
})

test('the constant multiplies the logits', async () => {
  const { folder, inputIds } = await checkpointFixture('cohere')
  await using doubled = await changedCopy('cohere', { config: { logit_scale: 1.5 } })
  const tokens = inputIds[0] ?? []
  const once = await logitsOf(folder, tokens)
  // powers of two scale floating-point numbers exactly
  expect(await logitsOf(doubled.path, tokens)).toEqual(once.map((logit) => 2 * logit))
})

test.each([
  [{ use_parallel_block: false }, /use_parallel_block: found false, expected true/],
  [{ use_gated_activation: false }, /use_gated_activation: found false, expected true/],
  [{ position_embedding_type: 'learned' }, /position_embedding_type: found "learned", expected one of rope_gptj/],
])('%o is refused', async (config, message) => {
  await using folder = await changedCopy('cohere2', { config })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(message)
})
