/** Mixtral, Qwen 2 MoE and Qwen 3 MoE: files in other forms, experts that are not computed, refusals. */
import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName, permutedRows } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'
import { stackExperts } from '../stacked-experts.ts'

const MIXTRAL_EXPERT = /^model\.layers\.(\d+)\.block_sparse_moe\.experts\.(\d+)\.(w[123])\.weight$/
const MIXTRAL_STACKS: Readonly<Record<string, string>> = { w1: 'ffn_gate_exps', w2: 'ffn_down_exps', w3: 'ffn_up_exps' }
const MIXTRAL_SINGLE: Readonly<Record<string, string>> = { w1: 'ffn_gate', w2: 'ffn_down', w3: 'ffn_up' }
const QWEN_EXPERT = /^model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\.weight$/

const sizes = (heads: number, kvHeads: number, inner: number) => ({
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(inner),
  'attention.head_count': uint32(heads),
  'attention.head_count_kv': uint32(kvHeads),
})

describe('GGUF', () => {
  const mixtral = {
    architecture: 'llama',
    metadata: {
      ...sizes(4, 2, 48),
      'attention.layer_norm_rms_epsilon': float32(1e-5),
      'rope.freq_base': float32(1e6),
      expert_count: uint32(4),
      expert_used_count: uint32(2),
    },
  }
  const parts = { ...COMMON_PARTS, post_attention_layernorm: 'ffn_norm', 'block_sparse_moe.gate': 'ffn_gate_inp' }
  const mixtralTensor = (name: string, tensor: NumericTensor) => ({
    name: ggufName(name, parts),
    ...(/q_proj/.test(name) ? permutedRows(tensor, 4) : /k_proj/.test(name) ? permutedRows(tensor, 2) : {}),
  })

  test('Mixtral, a llama with experts there, gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('mixtral')
    await using stacked = await changedCopy('mixtral', {
      tensors: (tensors) => stackExperts(tensors, MIXTRAL_EXPERT, (layer, matrix) => `blk.${layer}.${MIXTRAL_STACKS[matrix]}.weight`),
    })
    await using gguf = await asGguf(stacked.path, {
      ...mixtral,
      tensor: (name, tensor) => (name.startsWith('blk.') ? { name } : mixtralTensor(name, tensor)),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('Mixtral in an older file, with a tensor for each expert, gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('mixtral')
    await using gguf = await asGguf(folder, {
      ...mixtral,
      tensor(name, tensor) {
        const [, layer, index, matrix = ''] = MIXTRAL_EXPERT.exec(name) ?? []
        return layer === undefined ? mixtralTensor(name, tensor) : { name: `blk.${layer}.${MIXTRAL_SINGLE[matrix]}.${index}.weight` }
      },
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('Qwen 2 MoE, whose shared gate llama.cpp holds as a vector, gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('qwen2_moe')
    await using stacked = await changedCopy('qwen2_moe', {
      tensors: (tensors) => stackExperts(tensors, QWEN_EXPERT, (layer, matrix) => `blk.${layer}.ffn_${matrix}_exps.weight`),
    })
    const names = {
      ...COMMON_PARTS,
      post_attention_layernorm: 'ffn_norm',
      'mlp.gate': 'ffn_gate_inp',
      'mlp.shared_expert_gate': 'ffn_gate_inp_shexp',
      'mlp.shared_expert.gate_proj': 'ffn_gate_shexp',
      'mlp.shared_expert.up_proj': 'ffn_up_shexp',
      'mlp.shared_expert.down_proj': 'ffn_down_shexp',
    }
    await using gguf = await asGguf(stacked.path, {
      architecture: 'qwen2moe',
      metadata: {
        ...sizes(4, 2, 128),
        'attention.layer_norm_rms_epsilon': float32(1e-6),
        expert_count: uint32(6),
        expert_used_count: uint32(2),
        expert_feed_forward_length: uint32(24),
        expert_shared_feed_forward_length: uint32(40),
      },
      tensor(name) {
        if (name.startsWith('blk.')) return { name }
        return { name: ggufName(name, names), ...(name.endsWith('shared_expert_gate.weight') ? { shape: [64] } : {}) }
      },
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('Qwen 3 MoE gives the bits of its safetensors; layers without a router are dense', async () => {
    const { folder, inputIds } = await checkpointFixture('qwen3_moe')
    await using stacked = await changedCopy('qwen3_moe', {
      tensors: (tensors) => stackExperts(tensors, QWEN_EXPERT, (layer, matrix) => `blk.${layer}.ffn_${matrix}_exps.weight`),
    })
    const names = {
      ...COMMON_PARTS,
      post_attention_layernorm: 'ffn_norm',
      'mlp.gate': 'ffn_gate_inp',
      'self_attn.q_norm': 'attn_q_norm',
      'self_attn.k_norm': 'attn_k_norm',
    }
    await using gguf = await asGguf(stacked.path, {
      architecture: 'qwen3moe',
      metadata: {
        ...sizes(4, 2, 64),
        'attention.key_length': uint32(24),
        'attention.value_length': uint32(24),
        'attention.layer_norm_rms_epsilon': float32(1e-6),
        expert_count: uint32(8),
        expert_used_count: uint32(3),
        expert_feed_forward_length: uint32(24),
      },
      tensor: (name) => ({ name: name.startsWith('blk.') ? name : ggufName(name, names) }),
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })
})

test('experts that transformers 5 holds in two tensors give the bits of single ones', async () => {
  const { folder, inputIds } = await checkpointFixture('qwen3_moe')
  await using fused = await changedCopy('qwen3_moe', {
    tensors(tensors) {
      for (let index = 0; index < 8; index++) {
        const prefix = `model.layers.0.mlp.experts.${index}`
        const gate = tensors.get(`${prefix}.gate_proj.weight`)
        const up = tensors.get(`${prefix}.up_proj.weight`)
        if (gate === undefined || up === undefined) throw new Error('the fixture has other names')
        tensors.set(`${prefix}.gate_up_proj.weight`, { shape: [48, 64], data: Float32Array.of(...gate.data, ...up.data) })
        tensors.delete(`${prefix}.gate_proj.weight`)
        tensors.delete(`${prefix}.up_proj.weight`)
      }
      const single = /^model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(\w+)\.weight$/
      stackExperts(tensors, single, (layer, matrix) => `model.layers.${layer}.mlp.experts.${matrix}`)
    },
  })
  await expectSameLogits(fused.path, folder, inputIds[0] ?? [])
})

describe('an expert that no row chose', () => {
  /** With one expert per row, a router whose scores for the first and the last expert are equal chooses the first or one in between. */
  const withoutLast = (ruined: boolean) => (tensors: Map<string, NumericTensor>) => {
    for (const layer of [0, 1]) {
      const block = `model.layers.${layer}.block_sparse_moe`
      const router = tensors.get(`${block}.gate.weight`)?.data
      router?.copyWithin(3 * 64, 0, 64)
      if (router !== undefined) for (let at = 64; at < 3 * 64; at++) router[at] = (router[at] ?? 0) * 1e-6
      if (ruined) for (const matrix of ['w1', 'w2', 'w3']) tensors.get(`${block}.experts.3.${matrix}.weight`)?.data.fill(Number.NaN)
    }
  }

  test('is not computed: its weights may be anything', async () => {
    const { inputIds } = await checkpointFixture('mixtral')
    await using plain = await changedCopy('mixtral', { config: { num_experts_per_tok: 1 }, tensors: withoutLast(false) })
    await using ruined = await changedCopy('mixtral', { config: { num_experts_per_tok: 1 }, tensors: withoutLast(true) })
    const found = await logitsOf(ruined.path, inputIds[0] ?? [])
    expect(found.every(Number.isFinite)).toBe(true)
    expect(found).toEqual(await logitsOf(plain.path, inputIds[0] ?? []))
  })
})

test('the plan says which operator computes the experts, and that routers stay in float32', async () => {
  const { folder } = await checkpointFixture('mixtral')
  await using lm = await loadCausalLM(folder, { format: 'int4' })
  expect(lm.plan.notes.join('; ')).toMatch(/experts are branches \(If\)/)
  expect(lm.plan.formats.router).toBe('f32')
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
})

test('more experts per row than there are is refused', async () => {
  await using folder = await changedCopy('mixtral', { config: { num_experts_per_tok: 5 } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/num_experts_per_tok: found 5 of 4 experts/)
})

test('fewer experts than the configuration says are named', async () => {
  await using folder = await changedCopy('mixtral', { config: { num_local_experts: 5 } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/gate\.weight: found \[4, 64\], expected \[5, 64\]/)
})
