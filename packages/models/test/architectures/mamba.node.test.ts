/** State-space models in llama.cpp's form, in the forms of published configurations, against single mixers of the reference, and refused. */
import { readFile, writeFile } from 'node:fs/promises'
import { decodeToFloat32, type GgufValue, openWeights } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { fixturesFolder } from '../large-fixtures.ts'
import { expectSameLogits } from '../same-logits.ts'

const PARTS: Readonly<Record<string, string>> = {
  'norm.weight': 'attn_norm.weight',
  'mixer.in_proj.weight': 'ssm_in.weight',
  'mixer.x_proj.weight': 'ssm_x.weight',
  'mixer.dt_proj.weight': 'ssm_dt.weight',
  'mixer.dt_proj.bias': 'ssm_dt.bias',
  'mixer.dt_bias': 'ssm_dt.bias',
  'mixer.conv1d.bias': 'ssm_conv1d.bias',
  'mixer.out_proj.weight': 'ssm_out.weight',
}
const WHOLE: Readonly<Record<string, string>> = {
  'backbone.embeddings.weight': 'token_embd.weight',
  'backbone.norm_f.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
}

/** As llama.cpp's converter stores it: A itself, the convolution without its middle dimension; of Mamba-2 A and D as columns, the norm by group. */
function converted(name: string, { shape, data }: NumericTensor, groups?: number): ({ name: string } & Partial<NumericTensor>) | undefined {
  const [, layer, part = ''] = /^backbone\.layers\.(\d+)\.(.+)$/.exec(name) ?? []
  if (layer === undefined) return WHOLE[name] === undefined ? undefined : { name: WHOLE[name] }
  const prefix = `blk.${layer}.`
  const column = groups === undefined ? shape : [...shape, 1]
  if (part === 'mixer.A_log') return { name: `${prefix}ssm_a`, shape: column, data: data.map((value) => -Math.exp(value)) }
  if (part === 'mixer.D') return { name: `${prefix}ssm_d`, shape: column }
  if (part === 'mixer.conv1d.weight') return { name: `${prefix}ssm_conv1d.weight`, shape: shape.filter((dim) => dim !== 1) }
  if (part === 'mixer.norm.weight') return { name: `${prefix}ssm_norm.weight`, shape: [groups ?? 1, data.length / (groups ?? 1)] }
  return PARTS[part] === undefined ? undefined : { name: prefix + PARTS[part] }
}

const METADATA: Record<string, GgufValue> = {
  context_length: uint32(2 ** 20),
  embedding_length: uint32(64),
  feed_forward_length: uint32(0),
  'attention.head_count': uint32(0),
  block_count: uint32(2),
  'ssm.conv_kernel': uint32(4),
  'ssm.inner_size': uint32(128),
  'attention.layer_norm_rms_epsilon': float32(1e-5),
}

test.each([
  [
    'mamba',
    'mamba',
    { 'ssm.state_size': uint32(8), 'ssm.time_step_rank': uint32(4), 'ssm.dt_b_c_rms': { type: 'bool', value: false } },
    undefined,
  ],
  [
    'falcon_mamba',
    'mamba',
    { 'ssm.state_size': uint32(8), 'ssm.time_step_rank': uint32(4), 'ssm.dt_b_c_rms': { type: 'bool', value: true } },
    undefined,
  ],
  ['mamba2', 'mamba2', { 'ssm.state_size': uint32(16), 'ssm.time_step_rank': uint32(8), 'ssm.group_count': uint32(2) }, 2],
] as const)('a GGUF of %s gives the bits of the safetensors', async (name, architecture, own, groups) => {
  const { folder, inputIds } = await checkpointFixture(name)
  await using gguf = await asGguf(folder, {
    architecture,
    metadata: { ...METADATA, ...own },
    tensor: (tensor, stored) => converted(tensor, stored, groups),
  })
  await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
})

describe('published files', () => {
  test.each(['mamba', 'mamba2'])('of %s with the table under the name of the original files', async (name) => {
    const { folder, inputIds } = await checkpointFixture(name)
    await using renamed = await changedCopy(name, {
      tensors(tensors) {
        const table = tensors.get('backbone.embeddings.weight')
        if (table !== undefined) tensors.set('backbone.embedding.weight', table)
        tensors.delete('backbone.embeddings.weight')
      },
    })
    await expectSameLogits(renamed.path, folder, inputIds[0] ?? [])
  })

  test('of Mamba whose rank of steps is automatic and whose inner width follows from `expand`', async () => {
    const { folder, inputIds } = await checkpointFixture('mamba')
    // 64 / 16 = 4, the rank of the fixture
    await using copy = await changedCopy('mamba', { config: { time_step_rank: 'auto', intermediate_size: undefined } })
    await expectSameLogits(copy.path, folder, inputIds[0] ?? [])
  })

  test.each([
    ['as Python writes an infinity', '"time_step_limit": [0.0, Infinity]'],
    ['as later versions write it', '"time_step_limit": [0.0, {"__float__": "Infinity"}]'],
  ])('of Mamba-2 whose limit of steps ends in an infinity, %s', async (_, limits) => {
    const { folder, inputIds } = await checkpointFixture('mamba2')
    await using copy = await changedCopy('mamba2', { config: { note: 'a string with Infinity and NaN in it stays' } })
    const text = await readFile(`${copy.path}/config.json`, 'utf8')
    await writeFile(`${copy.path}/config.json`, text.replace('{', `{${limits},`))
    await expectSameLogits(copy.path, folder, inputIds[0] ?? [])
  })

  test('of Mamba-2 whose steps are limited differ from those that are not', async () => {
    const { folder, inputIds } = await checkpointFixture('mamba2')
    await using copy = await changedCopy('mamba2', { config: { time_step_limit: [0.5, 0.6] } })
    await expect(expectSameLogits(copy.path, folder, inputIds[0] ?? [])).rejects.toThrow()
  })
})

test.each([
  ['mamba', { hidden_act: 'softmax' }, /hidden_act: found "softmax"/],
  ['mamba', { time_step_rank: 5 }, /x_proj.weight.*\[21, 128\] by the configuration/],
  ['mamba', { state_size: 0 }, /state_size: found 0/],
  ['falcon_mamba', { mixer_rms_eps: 'small' }, /mixer_rms_eps: found "small"/],
  ['mamba2', { num_heads: 7 }, /num_heads: found 7 heads of 16 for an inner width of 128/],
  ['mamba2', { n_groups: 3 }, /n_groups: found 3 for 8 heads/],
  ['mamba2', { rms_norm: false }, /rms_norm: found false/],
  ['mamba2', { time_step_limit: [1, 0] }, /time_step_limit: found \[1,0\]/],
  ['mamba2', { time_step_limit: 'none' }, /time_step_limit: found "none"/],
])('%s with %o is refused', async (name, config, message) => {
  await using folder = await changedCopy(name, { config })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(message)
})

// One mixer of the reference, which reads its input as it is: the norm before it divides by the root of an epsilon against which the
// input is nothing, and multiplies by the same root.
const EPSILON = 1e12

describe.skipIf(fixturesFolder === undefined)('a single mixer (needs FORETOKEN_FIXTURES)', () => {
  test.each([
    ['mamba1', 'mamba', { hidden_size: 16, intermediate_size: 32, state_size: 4, conv_kernel: 4, time_step_rank: 3 }],
    ['mamba2', 'mamba2', { hidden_size: 16, state_size: 6, conv_kernel: 4, num_heads: 4, head_dim: 8, n_groups: 2 }],
  ])('of %s gives the output and the states of the reference, in one chunk and in two', async (name, type, sizes) => {
    await using store = await openWeights(`${fixturesFolder}/attention/${name}.safetensors`)
    const read = async (tensor: string) => decodeToFloat32(await store.read(tensor))
    const weights = new Map<string, NumericTensor>()
    for (const info of store.tensors.values()) {
      if (info.name.startsWith('weight.'))
        weights.set(info.name.slice('weight.'.length), { shape: info.shape, data: await read(info.name) })
    }
    await using folder = await changedCopy(type, {
      wholeConfig: () => ({
        model_type: type,
        num_hidden_layers: 1,
        vocab_size: 4,
        tie_word_embeddings: true,
        // the norm inside of Mamba-2 has the same epsilon, so of that only the states are looked at
        layer_norm_epsilon: EPSILON,
        ...sizes,
      }),
      tensors(tensors) {
        tensors.clear()
        for (const [part, tensor] of weights) tensors.set(`backbone.layers.0.mixer.${part}`, tensor)
        tensors.set('backbone.layers.0.norm.weight', { shape: [16], data: new Float32Array(16).fill(Math.sqrt(EPSILON)) })
        tensors.set('backbone.embeddings.weight', { shape: [4, 16], data: new Float32Array(64) })
        tensors.set('backbone.norm_f.weight', { shape: [16], data: new Float32Array(16).fill(1) })
      },
    })
    await using lm = await loadCausalLM(folder.path, { format: 'f32' })
    const input = await read('u')
    const states = { end: await read('state.ssm'), split: await read('state.ssm.atSplit') }
    for (const cuts of [[19], [11, 8]]) {
      await using cache = lm.createCache()
      let from = 0
      for (const rows of cuts) {
        const result = await lm.forward({ tokens: input.slice(from * 16, (from + rows) * 16), cache, want: { hidden: [1] } })
        cache.append(result.rows)
        if (name === 'mamba1') {
          const expected = (await read('out')).subarray(from * 16, (from + rows) * 16)
          const out = result.hidden?.[0]?.data.map((value, at) => value - (input[from * 16 + at] ?? 0)) ?? new Float32Array(0)
          expect(largestDifference(out, expected)).toBeLessThan(1e-5)
        }
        from += rows
        const expected = from === 19 ? states.end : states.split
        expect(largestDifference(cache.recurrentView(0).state, statesFirst(expected, name))).toBeLessThan(1e-5)
      }
    }
  })
})

/** The reference has the numbers of a state innermost, the cache the channels: [32, 4] -> [4, 32], [4, 8, 6] -> [4, 6, 8]. */
function statesFirst(state: Float32Array, name: string): Float32Array {
  const [heads, rows, columns] = name === 'mamba1' ? [1, 32, 4] : [4, 8, 6]
  const out = new Float32Array(state.length)
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        out[(head * columns + column) * rows + row] = state[(head * rows + row) * columns + column] ?? 0
      }
    }
  }
  return out
}
