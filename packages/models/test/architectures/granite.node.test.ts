import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName, permutedRows } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

test('a GGUF of Granite with permuted rows and its multipliers as scales gives the bits of its safetensors', async () => {
  // multipliers that float32 holds exactly, as the metadata have them in float32
  await using folder = await changedCopy('granite', { config: { residual_multiplier: 0.375, attention_multiplier: 0.1875 } })
  const { inputIds } = await checkpointFixture('granite')
  await using gguf = await asGguf(folder.path, {
    architecture: 'granite',
    metadata: {
      context_length: uint32(256),
      embedding_length: uint32(64),
      block_count: uint32(2),
      feed_forward_length: uint32(128),
      'attention.head_count': uint32(4),
      'attention.head_count_kv': uint32(2),
      'attention.layer_norm_rms_epsilon': float32(1e-5),
      'rope.dimension_count': uint32(16),
      'rope.freq_base': float32(10_000),
      'attention.scale': float32(0.1875),
      embedding_scale: float32(3),
      residual_scale: float32(0.375),
      logit_scale: float32(2),
    },
    tensor: (name, tensor) => ({
      name: ggufName(name, { ...COMMON_PARTS, post_attention_layernorm: 'ffn_norm' }),
      ...(name.endsWith('q_proj.weight') ? permutedRows(tensor, 4) : {}),
      ...(name.endsWith('k_proj.weight') ? permutedRows(tensor, 2) : {}),
    }),
  })
  await expectSameLogits(gguf.path, folder.path, inputIds[0] ?? [])
})

test('a file without multipliers is a Llama whose scores are not scaled', async () => {
  const none = { embedding_multiplier: undefined, residual_multiplier: undefined, logits_scaling: undefined }
  await using granite = await changedCopy('granite', { config: { ...none, attention_multiplier: 0.25 } })
  // the heads are 16 wide: a Llama multiplies by 1/4
  await using llama = await changedCopy('granite', { config: { ...none, attention_multiplier: undefined, model_type: 'llama' } })
  const { inputIds } = await checkpointFixture('granite')
  await expectSameLogits(granite.path, llama.path, inputIds[0] ?? [])
})

test('logits that would be divided by zero are refused', async () => {
  await using folder = await changedCopy('granite', { config: { logits_scaling: 0 } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/logits_scaling: found 0, expected a number above 0/)
})
