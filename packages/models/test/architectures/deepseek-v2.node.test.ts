/** DeepSeek-V2 beyond its fixtures: GGUF, which experts a row may choose, refusals. */
import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'
import { stackExperts } from '../stacked-experts.ts'

const EXPERT = /^model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\.weight$/

const PARTS = {
  ...COMMON_PARTS,
  post_attention_layernorm: 'ffn_norm',
  'self_attn.q_a_proj': 'attn_q_a',
  'self_attn.q_a_layernorm': 'attn_q_a_norm',
  'self_attn.q_b_proj': 'attn_q_b',
  'self_attn.kv_a_proj_with_mqa': 'attn_kv_a_mqa',
  'self_attn.kv_a_layernorm': 'attn_kv_a_norm',
  'self_attn.kv_b_proj': 'attn_kv_b',
  'mlp.gate': 'ffn_gate_inp',
  'mlp.shared_experts.gate_proj': 'ffn_gate_shexp',
  'mlp.shared_experts.up_proj': 'ffn_up_shexp',
  'mlp.shared_experts.down_proj': 'ffn_down_shexp',
}

/** Of V2-Lite. */
const METADATA = {
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(64),
  leading_dense_block_count: uint32(1),
  expert_count: uint32(8),
  expert_used_count: uint32(3),
  expert_shared_count: uint32(2),
  expert_feed_forward_length: uint32(24),
  expert_weights_scale: float32(1),
  'attention.head_count': uint32(4),
  'attention.head_count_kv': uint32(4),
  'attention.key_length': uint32(24),
  'attention.value_length': uint32(12),
  'attention.layer_norm_rms_epsilon': float32(1e-6),
  'attention.kv_lora_rank': uint32(16),
  'rope.dimension_count': uint32(8),
  'rope.scaling.type': { type: 'string', value: 'yarn' } as const,
  'rope.scaling.factor': float32(4),
  'rope.scaling.original_context_length': uint32(64),
  'rope.scaling.yarn_log_multiplier': float32(0.0707),
}
const WITH_GROUPS = {
  'attention.q_lora_rank': uint32(24),
  expert_weights_scale: float32(4),
  expert_group_count: uint32(4),
  expert_group_used_count: uint32(2),
}
const SOFTMAX = { expert_gating_func: uint32(1) }

describe('GGUF', () => {
  test.each([
    ['deepseek_v2', 'with groups', { ...METADATA, ...WITH_GROUPS, ...SOFTMAX }],
    ['deepseek_v2-lite', 'without groups', { ...METADATA, ...SOFTMAX }],
    ['deepseek_v2-lite', 'from before the way of scoring was written', METADATA],
  ])('%s %s gives the bits of the safetensors', async (name, _, metadata) => {
    const { folder, inputIds } = await checkpointFixture(name)
    await using copy = await changedCopy(name, {
      tensors: (tensors) => stackExperts(tensors, EXPERT, (layer, matrix) => `blk.${layer}.ffn_${matrix}_exps.weight`),
    })
    await using gguf = await asGguf(copy.path, {
      architecture: 'deepseek2',
      metadata,
      tensor: (tensor) => ({ name: tensor.startsWith('blk.') ? tensor : ggufName(tensor, PARTS) }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
    await using lm = await loadCausalLM(gguf.path, { format: 'f32', selfTest: false })
    expect(lm.config.modelType).toBe('deepseek_v2')
  })
})

describe('which experts a row may choose', () => {
  test('all groups are the greedy method', async () => {
    const { inputIds } = await checkpointFixture('deepseek_v2')
    await using all = await changedCopy('deepseek_v2', { config: { topk_group: 4 } })
    await using greedy = await changedCopy('deepseek_v2', { config: { topk_method: 'greedy' } })
    await expectSameLogits(all.path, greedy.path, inputIds[0] ?? [])
  })

  test('the limit to the best groups changes the logits of the fixture', async () => {
    const { folder, inputIds } = await checkpointFixture('deepseek_v2')
    await using greedy = await changedCopy('deepseek_v2', { config: { topk_method: 'greedy' } })
    const tokens = inputIds[0] ?? []
    expect(largestDifference(await logitsOf(greedy.path, tokens), await logitsOf(folder, tokens))).toBeGreaterThan(0.1)
  })
})

const REFUSED: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ['another way of scoring', { scoring_func: 'sigmoid' }, /scoring_func: found "sigmoid", expected one of softmax/],
  ['another way of choosing', { topk_method: 'noaux_tc' }, /topk_method: found "noaux_tc"/],
  ['weights that are divided by their sum', { norm_topk_prob: true }, /norm_topk_prob: found true, expected false/],
  ['mixtures in some layers only', { moe_layer_freq: 2 }, /moe_layer_freq: found 2/],
  ['more experts than the groups of a row have', { topk_group: 1 }, /num_experts_per_tok: found 3, expected at most 2/],
  ['groups that do not divide the experts', { n_group: 3 }, /n_group: found 3 groups of 8 experts/],
]

test.each(REFUSED)('%s: refused', async (_, config, message) => {
  await using folder = await changedCopy('deepseek_v2', { config })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(message)
})

test('the cache holds the compressed row and the rotated key, once for all heads, with queries that are projected at once too', async () => {
  const { folder } = await checkpointFixture('deepseek_v2-lite')
  await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
  expect(lm.createCache().layers.map(({ kvHeads, keyDim, valueDim }) => [kvHeads, keyDim, valueDim])).toEqual([
    [1, 24, 0],
    [1, 24, 0],
  ])
})
