import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName, permutedRows } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

test.each([
  ['olmo', 4, { 'attention.clamp_kqv': float32(1) }],
  ['olmo-tied', 2, {}],
  // what llama.cpp takes for no limit
  ['olmo-tied', 2, { 'attention.clamp_kqv': float32(0) }],
] as const)('a GGUF of %s with permuted rows gives the bits of its safetensors', async (name, kvHeads, limit) => {
  const { folder, inputIds } = await checkpointFixture(name)
  await using gguf = await asGguf(folder, {
    architecture: 'olmo',
    metadata: {
      context_length: uint32(256),
      embedding_length: uint32(64),
      block_count: uint32(2),
      feed_forward_length: uint32(128),
      'attention.head_count': uint32(4),
      'attention.head_count_kv': uint32(kvHeads),
      'attention.layer_norm_epsilon': float32(1e-5),
      'rope.dimension_count': uint32(16),
      'rope.freq_base': float32(10_000),
      ...limit,
    },
    tensor: (tensorName, tensor) => ({
      name: ggufName(tensorName, COMMON_PARTS),
      ...(tensorName.endsWith('q_proj.weight') ? permutedRows(tensor, 4) : {}),
      ...(tensorName.endsWith('k_proj.weight') ? permutedRows(tensor, kvHeads) : {}),
    }),
  })
  await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
})

test.each([
  ['clipping to nothing', { clip_qkv: 0 }, /clip_qkv: found 0, expected a number above 0/],
  ['biases', { attention_bias: true }, /attention_bias: found true/],
])('%s is refused', async (_, config, message) => {
  await using folder = await changedCopy('olmo', { config })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(message)
})
