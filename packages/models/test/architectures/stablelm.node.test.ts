import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

const PARTS = { ...COMMON_PARTS, post_attention_layernorm: 'ffn_norm' }

const metadata = (isParallel: boolean) => ({
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(128),
  'attention.head_count': uint32(4),
  'attention.head_count_kv': uint32(2),
  'attention.layer_norm_epsilon': float32(1e-5),
  'rope.dimension_count': uint32(4),
  use_parallel_residual: { type: 'bool' as const, value: isParallel },
})

describe('GGUF', () => {
  test('StableLM with biases of queries, keys and values gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('stablelm')
    await using gguf = await asGguf(folder, {
      architecture: 'stablelm',
      metadata: metadata(false),
      tensor: (name) => ({ name: ggufName(name, PARTS) }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('norms of heads that are stacked into one tensor give the bits of their safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('stablelm-qk-parallel')
    const stacks = new Map<string, NumericTensor>()
    for (const layer of [0, 1]) {
      stacks.set(`blk.${layer}.attn_q_norm.weight`, { shape: [4, 16], data: new Float32Array(64) })
      stacks.set(`blk.${layer}.attn_k_norm.weight`, { shape: [2, 16], data: new Float32Array(32) })
    }
    await using gguf = await asGguf(folder, {
      architecture: 'stablelm',
      metadata: metadata(true),
      extra: stacks,
      tensor(name, { data }) {
        const [, layer, which, head] = /layers\.(\d+)\.self_attn\.([qk])_layernorm\.norms\.(\d+)\.weight$/.exec(name) ?? []
        if (which === undefined) return { name: ggufName(name, PARTS) }
        const stack = `blk.${layer}.attn_${which}_norm.weight`
        stacks.get(stack)?.data.set(data, Number(head) * 16)
        return undefined
      },
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })
})

test('a file with head norms that the configuration does not speak of is refused, and they are named', async () => {
  await using folder = await changedCopy('stablelm-qk-parallel', { config: { qk_layernorm: undefined } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/12 tensors.*no place for: .*k_layernorm\.norms\.0\.weight/)
})

test('an odd number of rotated elements is refused', async () => {
  await using folder = await changedCopy('stablelm', { config: { partial_rotary_factor: 0.2 } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/partial_rotary_factor: found 0.2 of a head of 16/)
})
