/** DeepSeek-V3: the compressed cache, GGUF old and new, layers for further tokens, refusals. */
import { readFile } from 'node:fs/promises'
import { bytesSource, decodeToFloat32, openSafetensors, openWeights, type TensorToWrite, writeSafetensors } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { huggingFaceCheckpoint } from '../../src/checkpoint/hugging-face-checkpoint.ts'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'
import { stackExperts } from '../stacked-experts.ts'

const EXPERT = /^model\.layers\.(\d+)\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\.weight$/
const HEADS = 4
const PLAIN = 16
const VALUE = 12
const RANK = 16

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

const METADATA = {
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(64),
  leading_dense_block_count: uint32(1),
  expert_count: uint32(8),
  expert_used_count: uint32(3),
  expert_shared_count: uint32(1),
  expert_feed_forward_length: uint32(24),
  expert_group_count: uint32(4),
  expert_group_used_count: uint32(2),
  expert_weights_scale: float32(2.5),
  expert_weights_norm: { type: 'bool', value: true } as const,
  expert_gating_func: uint32(2),
  'attention.head_count': uint32(HEADS),
  'attention.layer_norm_rms_epsilon': float32(1e-6),
  'attention.q_lora_rank': uint32(24),
  'attention.kv_lora_rank': uint32(RANK),
  'rope.dimension_count': uint32(8),
  'rope.scaling.type': { type: 'string', value: 'yarn' } as const,
  'rope.scaling.factor': float32(4),
  'rope.scaling.original_context_length': uint32(64),
  'rope.scaling.yarn_log_multiplier': float32(0.1),
}

function ggufTensor(name: string): { readonly name: string } {
  if (name.startsWith('blk.')) return { name }
  const [, layer] = /^model\.layers\.(\d+)\.mlp\.gate\.e_score_correction_bias$/.exec(name) ?? []
  return { name: layer === undefined ? ggufName(name, PARTS) : `blk.${layer}.exp_probs_b.bias` }
}

const stacked = () =>
  changedCopy('deepseek_v3', {
    tensors: (tensors) => stackExperts(tensors, EXPERT, (layer, matrix) => `blk.${layer}.ffn_${matrix}_exps.weight`),
  })

describe('GGUF', () => {
  test('a file from before the compressed cache gives the bits of the safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('deepseek_v3')
    await using copy = await stacked()
    await using gguf = await asGguf(copy.path, {
      architecture: 'deepseek2',
      metadata: {
        ...METADATA,
        'attention.head_count_kv': uint32(HEADS),
        'attention.key_length': uint32(24),
        'attention.value_length': uint32(VALUE),
      },
      tensor: ggufTensor,
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('a file for the compressed cache, with the expansion cut in two and one half transposed, gives the same up to rounding', async () => {
    const { folder, inputIds } = await checkpointFixture('deepseek_v3')
    await using copy = await stacked()
    const expansions = new Map<string, NumericTensor>()
    for (const layer of [0, 1]) {
      const both = await tensorOf(folder, `model.layers.${layer}.self_attn.kv_b_proj.weight`)
      const at = (head: number, row: number, column: number) => both[(head * (PLAIN + VALUE) + row) * RANK + column] ?? 0
      const key = new Float32Array(HEADS * RANK * PLAIN)
      const value = new Float32Array(HEADS * VALUE * RANK)
      for (let head = 0; head < HEADS; head++) {
        for (let column = 0; column < RANK; column++) {
          for (let row = 0; row < PLAIN; row++) key[(head * RANK + column) * PLAIN + row] = at(head, row, column)
          for (let row = 0; row < VALUE; row++) value[(head * VALUE + row) * RANK + column] = at(head, PLAIN + row, column)
        }
      }
      expansions.set(`blk.${layer}.attn_k_b.weight`, { shape: [HEADS, RANK, PLAIN], data: key })
      expansions.set(`blk.${layer}.attn_v_b.weight`, { shape: [HEADS, VALUE, RANK], data: value })
    }
    await using gguf = await asGguf(copy.path, {
      architecture: 'deepseek2',
      metadata: {
        ...METADATA,
        'attention.head_count_kv': uint32(1),
        'attention.key_length': uint32(RANK + 8),
        'attention.value_length': uint32(RANK),
        'attention.key_length_mla': uint32(24),
        'attention.value_length_mla': uint32(VALUE),
      },
      tensor: (name) => (name.includes('kv_b_proj') ? undefined : ggufTensor(name)),
      extra: expansions,
    })
    // a transposed operand may be summed in another order
    const found = await logitsOf(gguf.path, inputIds[0] ?? [])
    const expected = await logitsOf(folder, inputIds[0] ?? [])
    expect(Math.max(...found.map((value, index) => Math.abs(value - (expected[index] ?? 0))))).toBeLessThan(1e-5)
  })

  test('without the way of scoring it is DeepSeek-V2, which has no corrections: they have no place', async () => {
    await using copy = await stacked()
    const { expert_gating_func: _, expert_weights_norm: __, ...metadata } = METADATA
    const lengths = {
      'attention.head_count_kv': uint32(HEADS),
      'attention.key_length': uint32(24),
      'attention.value_length': uint32(VALUE),
    }
    await using gguf = await asGguf(copy.path, { architecture: 'deepseek2', metadata: { ...metadata, ...lengths }, tensor: ggufTensor })
    await expect(loadCausalLM(gguf.path)).rejects.toThrow(/no place for: blk\.1\.exp_probs_b\.bias/)
  })
})

test('the cache holds the compressed row and the rotated key, once for all heads', async () => {
  const { folder } = await checkpointFixture('deepseek_v3')
  await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
  await using cache = lm.createCache()
  expect(cache.layers.map(({ kvHeads, keyDim, valueDim }) => [kvHeads, keyDim, valueDim])).toEqual([
    [1, 24, 0],
    [1, 24, 0],
  ])
  const { rows } = await lm.forward({ tokens: Int32Array.of(1, 2, 3), cache, want: {} })
  expect(rows.layers.map(({ keys, values }) => [keys.length, values.length])).toEqual([
    [72, 0],
    [72, 0],
  ])
})

test('attention probabilities of a step after a cache sum to 1 for each head and row', async () => {
  const { folder } = await checkpointFixture('deepseek_v3')
  await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
  await using cache = lm.createCache()
  cache.append((await lm.forward({ tokens: Int32Array.of(1, 2, 3), cache, want: {} })).rows)
  const { scores = [] } = await lm.forward({ tokens: Int32Array.of(4, 5), cache, want: { scores: 'all' } })
  expect(scores.map(({ dims }) => dims)).toEqual([
    [4, 2, 5],
    [4, 2, 5],
  ])
  for (const { data } of scores) {
    for (let row = 0; row < 8; row++) expect(data.subarray(row * 5, row * 5 + 5).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5)
    expect(data[4]).toBe(0)
  }
})

test('layers for multi-token prediction are passed over, and the plan says so', async () => {
  const { folder, inputIds } = await checkpointFixture('deepseek_v3')
  await using further = await changedCopy('deepseek_v3', {
    config: { num_nextn_predict_layers: 1 },
    tensors(tensors) {
      tensors.set('model.layers.2.eh_proj.weight', { shape: [64, 128], data: new Float32Array(64 * 128) })
      tensors.set('model.layers.2.shared_head.norm.weight', { shape: [64], data: new Float32Array(64) })
    },
  })
  await expectSameLogits(further.path, folder, inputIds[0] ?? [])
  await using lm = await loadCausalLM(further.path, { format: 'f32', selfTest: false })
  expect(lm.plan.notes.join('; ')).toMatch(/2 tensors are not used \(model\.layers\.2\.\S+, …\): 1 layer for multi-token prediction/)
})

test('such a layer that the configuration does not announce is refused', async () => {
  await using folder = await changedCopy('deepseek_v3', {
    tensors: (tensors) => tensors.set('model.layers.2.eh_proj.weight', { shape: [64, 128], data: new Float32Array(64 * 128) }),
  })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/no place for: model\.layers\.2\.eh_proj\.weight/)
})

const REFUSED: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ['another way of scoring', { scoring_func: 'softmax' }, /scoring_func: found "softmax"/],
  ['another way of choosing', { topk_method: 'greedy' }, /topk_method: found "greedy"/],
  ['mixtures in some layers only', { moe_layer_freq: 2 }, /moe_layer_freq: found 2/],
  ['more groups chosen than there are', { topk_group: 5 }, /topk_group: found 5 of 4 groups/],
  ['groups that do not divide the experts', { n_group: 3 }, /n_group: found 3 groups of 8 experts/],
]

test.each(REFUSED)('%s is refused', async (_, config, message) => {
  await using folder = await changedCopy('deepseek_v3', { config })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(message)
})

test('without limits on groups a row chooses among all experts', async () => {
  const { inputIds } = await checkpointFixture('deepseek_v3')
  await using one = await changedCopy('deepseek_v3', { config: { n_group: 1, topk_group: 1 } })
  await using all = await changedCopy('deepseek_v3', { config: { topk_group: 4 } })
  await expectSameLogits(one.path, all.path, inputIds[0] ?? [])
})

async function tensorOf(folder: string, name: string): Promise<Float32Array> {
  await using store = await openWeights(`${folder}/model.safetensors`)
  return decodeToFloat32(await store.read(name))
}

test('weights in 8-bit floats with scales of squares give the bits of the same numbers in float32', async () => {
  const { folder, inputIds } = await checkpointFixture('deepseek_v3')
  const config = await readFile(`${folder}/config.json`, 'utf8')
  await using store = await openWeights(`${folder}/model.safetensors`)
  const plain: TensorToWrite[] = []
  const scaled: TensorToWrite[] = []
  for (const info of store.tensors.values()) {
    const whole: TensorToWrite = { ...info, bytes: (await store.read(info.name)).bytes }
    const isQuantized = /(proj|proj_with_mqa)\.weight$/.test(info.name)
    if (!isQuantized) {
      plain.push(whole)
      scaled.push(whole)
      continue
    }
    // small numbers of E4M3 (1 to 1.875, both signs) times 1/8: all matrices are smaller than a square
    const count = info.shape.reduce((product, dim) => product * dim, 1)
    const patterns = Uint8Array.from(
      { length: count },
      (_, at) => 0b0_0111_000 | ((at * 5 + (at >> 4)) % 8) | (((at * 3 + (at >> 5)) % 2) << 7),
    )
    const values = Float32Array.from(patterns, (pattern) => ((pattern < 128 ? 1 : -1) * (1 + (pattern % 8) / 8)) / 8)
    plain.push({ ...info, encoding: 'F32', bytes: new Uint8Array(values.buffer) })
    scaled.push({ ...info, encoding: 'F8_E4M3', bytes: patterns })
    scaled.push({ name: `${info.name}_scale_inv`, encoding: 'F32', shape: [1, 1], bytes: new Uint8Array(Float32Array.of(1 / 8).buffer) })
  }
  const open = async (tensors: readonly TensorToWrite[]) =>
    huggingFaceCheckpoint(await openSafetensors(bytesSource(Buffer.concat(writeSafetensors(tensors)), 'model.safetensors')), {
      name: 'copy',
      read: async (file) => (file === 'config.json' ? config : undefined),
    })
  const logits = async (tensors: readonly TensorToWrite[]) => {
    await using lm = await loadCausalLM(await open(tensors), { format: 'f32', selfTest: false })
    await using cache = lm.createCache()
    return (await lm.forward({ tokens: Int32Array.from(inputIds[0] ?? []), cache, want: { logits: 'all' } })).logits?.data
  }
  const found = await logits(scaled)
  expect(found?.every(Number.isFinite)).toBe(true)
  expect(found).toEqual(await logits(plain))
})
