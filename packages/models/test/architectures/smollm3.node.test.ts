import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName, permutedRows } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

test('a GGUF of SmolLM3 gives the bits of its safetensors', async () => {
  const { folder, inputIds } = await checkpointFixture('smollm3')
  await using gguf = await asGguf(folder, {
    architecture: 'smollm3',
    metadata: {
      context_length: uint32(256),
      embedding_length: uint32(64),
      block_count: uint32(4),
      feed_forward_length: uint32(64),
      'attention.head_count': uint32(4),
      'attention.head_count_kv': uint32(2),
      'attention.layer_norm_rms_epsilon': float32(1e-6),
      'rope.dimension_count': uint32(16),
      'rope.freq_base': float32(5_000_000),
    },
    tensor: (name, tensor) => ({
      name: ggufName(name, { ...COMMON_PARTS, post_attention_layernorm: 'ffn_norm' }),
      ...(name.endsWith('q_proj.weight') ? permutedRows(tensor, 4) : {}),
      ...(name.endsWith('k_proj.weight') ? permutedRows(tensor, 2) : {}),
    }),
  })
  await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
})

test('an interval says which layers have no rope where there is no list of them', async () => {
  await using folder = await changedCopy('smollm3', { config: { no_rope_layers: undefined } })
  const { folder: original, inputIds } = await checkpointFixture('smollm3')
  await expectSameLogits(folder.path, original, inputIds[0] ?? [])
})

test('a list of layers with rope that is too short is refused', async () => {
  await using folder = await changedCopy('smollm3', { config: { no_rope_layers: [1, 1] } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/no_rope_layers: found 2 entries, expected 4/)
})
