/** gpt-oss in the forms of other files: 4-bit blocks, GGUF; and what is refused. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesSource, openSafetensors, type TensorToWrite, writeSafetensors } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { huggingFaceCheckpoint } from '../../src/checkpoint/hugging-face-checkpoint.ts'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, text, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits, logitsOf } from '../same-logits.ts'

const EXPERTS = 4
const HIDDEN = 64
const INNER = 32

/** Magnitudes of the sixteen patterns of four bits. */
const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6]

interface Quantized {
  readonly blocks: TensorToWrite
  readonly scales: TensorToWrite
  /** [experts, inputs, outputs], as the 16-bit files have it. */
  readonly transposed: NumericTensor
}

/** A weight [experts, outputs, inputs] of random patterns and small exponents, in both forms. */
function quantized(name: string, outputs: number, inputs: number, seed: number): Quantized {
  let state = seed
  const draw = (limit: number) => {
    state = (state * 48271) % 0x7fffffff
    return state % limit
  }
  const blocks = Uint8Array.from({ length: (EXPERTS * outputs * inputs) / 2 }, () => draw(256))
  const scales = Uint8Array.from({ length: (EXPERTS * outputs * inputs) / 32 }, () => 122 + draw(3))
  const data = new Float32Array(EXPERTS * outputs * inputs)
  for (let expert = 0, at = 0; expert < EXPERTS; expert++) {
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input++, at++) {
        const pattern = ((blocks[at >> 1] ?? 0) >> (4 * (at % 2))) & 15
        const value = (pattern < 8 ? 1 : -1) * (E2M1[pattern % 8] ?? 0) * 2 ** ((scales[at >> 5] ?? 0) - 127)
        data[(expert * inputs + input) * outputs + output] = value
      }
    }
  }
  return {
    blocks: { name: `${name}_blocks`, encoding: 'U8', shape: [EXPERTS, outputs, inputs / 32, 16], bytes: blocks },
    scales: { name: `${name}_scales`, encoding: 'U8', shape: [EXPERTS, outputs, inputs / 32], bytes: scales },
    transposed: { shape: [EXPERTS, inputs, outputs], data },
  }
}

const weights = new Map(
  [0, 1].flatMap((layer): [string, Quantized][] => {
    const prefix = `model.layers.${layer}.mlp.experts`
    return [
      [`${prefix}.gate_up_proj`, quantized(`${prefix}.gate_up_proj`, 2 * INNER, HIDDEN, 3 + layer)],
      [`${prefix}.down_proj`, quantized(`${prefix}.down_proj`, HIDDEN, INNER, 5 + layer)],
    ]
  }),
)

const wide = (change?: (tensors: Map<string, NumericTensor>) => void) =>
  changedCopy('gpt_oss', {
    config: { intermediate_size: INNER },
    tensors(tensors) {
      for (const [name, { transposed }] of weights) tensors.set(name, transposed)
      for (const layer of [0, 1]) {
        const bias = Float32Array.from({ length: EXPERTS * 2 * INNER }, (_, at) => ((at * 37) % 11) / 11 - 0.5)
        tensors.set(`model.layers.${layer}.mlp.experts.gate_up_proj_bias`, { shape: [EXPERTS, 2 * INNER], data: bias })
      }
      change?.(tensors)
    },
  })

/** The same checkpoint with its experts as pairs of blocks and scales, as gpt-oss was published. */
async function published(folder: string) {
  const bytes = await readFile(join(folder, 'model.safetensors'))
  await using plain = await openSafetensors(bytesSource(bytes, 'model.safetensors'))
  const tensors: TensorToWrite[] = []
  for (const info of plain.tensors.values()) {
    const pair = weights.get(info.name)
    if (pair === undefined) tensors.push({ ...info, bytes: (await plain.read(info.name)).bytes })
    else tensors.push(pair.blocks, pair.scales)
  }
  const config = await readFile(join(folder, 'config.json'), 'utf8')
  const store = await openSafetensors(bytesSource(Buffer.concat(writeSafetensors(tensors)), 'model.safetensors'))
  return huggingFaceCheckpoint(store, { name: 'published', read: async (file) => (file === 'config.json' ? config : undefined) })
}

test('experts in 4-bit blocks give the bits of the same numbers in float32', async () => {
  const { inputIds } = await checkpointFixture('gpt_oss')
  await using folder = await wide()
  await using lm = await loadCausalLM(await published(folder.path), { format: 'f32' })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.from(inputIds[0] ?? []), cache, want: { logits: 'all' } })
  const expected = await logitsOf(folder.path, inputIds[0] ?? [])
  expect(expected.every(Number.isFinite)).toBe(true)
  expect(logits?.data).toEqual(expected)
})

test('experts in 4-bit blocks run as 8-bit blocks without loss when the file is kept as it is stored', async () => {
  await using folder = await wide()
  await using lm = await loadCausalLM(await published(folder.path), { format: 'stored' })
  expect(lm.plan.formats.linear).toContain('int8-blocks-32')
  expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
})

test('a GGUF, with gate and up apart and the sinks as a weight, gives the bits of the safetensors', async () => {
  const { folder, inputIds } = await checkpointFixture('gpt_oss')
  const names = { ...COMMON_PARTS, post_attention_layernorm: 'post_attention_norm', 'mlp.router': 'ffn_gate_inp' }
  const apart = await changedCopy('gpt_oss', {
    tensors(tensors) {
      for (const layer of [0, 1]) {
        const prefix = `model.layers.${layer}.mlp.experts`
        const block = `blk.${layer}`
        tensors.set(`${block}.ffn_gate_exps.weight`, rowsOf(tensors.get(`${prefix}.gate_up_proj`), 0, 2))
        tensors.set(`${block}.ffn_up_exps.weight`, rowsOf(tensors.get(`${prefix}.gate_up_proj`), 1, 2))
        tensors.set(`${block}.ffn_down_exps.weight`, rowsOf(tensors.get(`${prefix}.down_proj`), 0, 1))
        tensors.set(`${block}.ffn_gate_exps.bias`, everyOther(tensors.get(`${prefix}.gate_up_proj_bias`), 0))
        tensors.set(`${block}.ffn_up_exps.bias`, everyOther(tensors.get(`${prefix}.gate_up_proj_bias`), 1))
        tensors.set(`${block}.ffn_down_exps.bias`, tensors.get(`${prefix}.down_proj_bias`) ?? missing())
        for (const part of ['gate_up_proj', 'down_proj', 'gate_up_proj_bias', 'down_proj_bias']) tensors.delete(`${prefix}.${part}`)
      }
    },
  })
  await using _ = apart
  await using gguf = await asGguf(apart.path, {
    architecture: 'gpt-oss',
    metadata: {
      context_length: uint32(512),
      embedding_length: uint32(64),
      block_count: uint32(2),
      feed_forward_length: uint32(24),
      expert_feed_forward_length: uint32(24),
      expert_count: uint32(4),
      expert_used_count: uint32(2),
      'attention.head_count': uint32(4),
      'attention.head_count_kv': uint32(2),
      'attention.key_length': uint32(16),
      'attention.value_length': uint32(16),
      'attention.sliding_window': uint32(8),
      'attention.layer_norm_rms_epsilon': float32(1e-5),
      'rope.freq_base': float32(150_000),
      'rope.scaling.type': text('yarn'),
      'rope.scaling.factor': float32(8),
      'rope.scaling.original_context_length': uint32(64),
    },
    tensor(name) {
      if (name.startsWith('blk.')) return { name }
      const [, layer] = /^model\.layers\.(\d+)\.self_attn\.sinks$/.exec(name) ?? []
      return { name: layer === undefined ? ggufName(name, names) : `blk.${layer}.attn_sinks.weight` }
    },
  })
  await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
})

test('another activation than that of the clamped gate is refused', async () => {
  await using folder = await changedCopy('gpt_oss', { config: { hidden_act: 'gelu' } })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/hidden_act: found "gelu", expected one of silu/)
})

test('a file that says nothing of its rope has that of the published models', async () => {
  const { inputIds } = await checkpointFixture('gpt_oss')
  const stated = {
    rope_type: 'yarn',
    factor: 32,
    beta_fast: 32,
    beta_slow: 1,
    truncate: false,
    original_max_position_embeddings: 4096,
  }
  await using silent = await changedCopy('gpt_oss', { config: { rope_scaling: undefined } })
  await using explicit = await changedCopy('gpt_oss', { config: { rope_scaling: stated } })
  await expectSameLogits(silent.path, explicit.path, inputIds[0] ?? [])
})

/** Every `step`-th output from `first` on of [experts, inputs, outputs], as [experts, outputs / step, inputs]. */
function rowsOf(tensor: NumericTensor | undefined, first: number, step: number): NumericTensor {
  const { shape: [experts = 0, inputs = 0, outputs = 0] = [], data } = tensor ?? missing()
  const rows = outputs / step
  const out = new Float32Array(experts * rows * inputs)
  for (let expert = 0, at = 0; expert < experts; expert++) {
    for (let row = 0; row < rows; row++) {
      for (let input = 0; input < inputs; input++, at++) out[at] = data[(expert * inputs + input) * outputs + first + step * row] ?? 0
    }
  }
  return { shape: [experts, rows, inputs], data: out }
}

function everyOther(tensor: NumericTensor | undefined, first: number): NumericTensor {
  const { shape: [experts = 0, width = 0] = [], data } = tensor ?? missing()
  return { shape: [experts, width / 2], data: data.filter((_, at) => at % 2 === first) }
}

function missing(): never {
  throw new Error('the fixture has other names')
}
