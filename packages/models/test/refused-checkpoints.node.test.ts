/** Checkpoints that must be refused: what and where is named, and nothing stays behind. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { decodeToFloat32, openWeights, writeSafetensors } from '@foretoken/weights'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadCausalLM } from '../src/index.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'

const systemFolder = tmpdir()
let scratch: string
let folder: string
beforeEach(async () => {
  // a folder for temporary files of its own: other tests open models at the same time
  scratch = await mkdtemp(join(systemFolder, 'refused-'))
  process.env.TMPDIR = scratch
  folder = join(scratch, 'checkpoint')
  await cp((await checkpointFixture('llama')).folder, folder, { recursive: true })
})
afterEach(async () => {
  process.env.TMPDIR = systemFolder
  await rm(scratch, { recursive: true })
})

async function changeConfig(change: Record<string, unknown>): Promise<void> {
  const file = join(folder, 'config.json')
  const config: unknown = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...(config as object), ...change }))
}

async function changeTensors(change: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void): Promise<void> {
  const file = join(folder, 'model.safetensors')
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  await using store = await openWeights(file)
  for (const { name, shape } of store.tensors.values()) tensors.set(name, { shape, data: decodeToFloat32(await store.read(name)) })
  change(tensors)
  const written = [...tensors].map(([name, { shape, data }]) => ({
    name,
    encoding: 'F32' as const,
    shape,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }))
  await writeFile(file, Buffer.concat(writeSafetensors(written)))
}

const temporary = async () => (await readdir(scratch)).filter((name) => name !== 'checkpoint')

async function expectRefused(code: string, message: RegExp): Promise<void> {
  const error = await loadCausalLM(folder, { format: 'f32' }).then(
    async (lm) => {
      await lm[Symbol.asyncDispose]()
      return undefined
    },
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  expect(await temporary()).toEqual([])
}

const CONFIGS: readonly (readonly [string, Record<string, unknown>, string, RegExp])[] = [
  ['a string instead of a number', { hidden_size: '64' }, 'model-config', /hidden_size: found "64", expected a whole number/],
  ['NaN written as null', { intermediate_size: null }, 'model-config', /intermediate_size: found nothing/],
  ['a fractional count', { num_hidden_layers: 1.5 }, 'model-config', /num_hidden_layers: found 1.5/],
  ['no layers', { num_hidden_layers: 0 }, 'model-config', /num_hidden_layers: found 0/],
  [
    'a million layers',
    { num_hidden_layers: 1_000_000 },
    'model-config',
    /num_hidden_layers: found 1000000, expected a whole number from 1 to 10000/,
  ],
  [
    'heads that do not divide the width',
    { num_attention_heads: 6, num_key_value_heads: 2 },
    'model-config',
    /6 heads for a hidden_size of 64/,
  ],
  ['more key/value heads than heads', { num_key_value_heads: 8 }, 'model-config', /8 for 4 attention heads/],
  ['key/value heads that do not divide the heads', { num_key_value_heads: 3 }, 'model-config', /3 for 4 attention heads/],
  [
    'an unknown rope',
    { rope_scaling: { rope_type: 'spiral' } },
    'model-config',
    /rope_scaling.rope_type: found "spiral", expected one of default/,
  ],
  ['a rope without its factor', { rope_scaling: { rope_type: 'linear' } }, 'model-config', /rope_scaling.factor: found nothing/],
  ['a negative rope base', { rope_theta: -1 }, 'model-config', /rope_theta: found -1/],
  ['an unknown activation', { hidden_act: 'sine' }, 'model-config', /hidden_act: found "sine", expected one of silu/],
  ['an unknown model type', { model_type: 'lama' }, 'unsupported-architecture', /model_type: found "lama".*nearest: llama/],
  [
    'an EAGLE-3 head',
    { architectures: ['LlamaForCausalLMEagle3'], draft_vocab_size: 128 },
    'unsupported-architecture',
    /LlamaForCausalLMEagle3: an EAGLE head.*whole model/,
  ],
  [
    "an assistant that reads its target's cache",
    { architectures: ['TinyAssistantForCausalLM'] },
    'unsupported-architecture',
    /an assistant, which reads/,
  ],
  ['no model type', { model_type: undefined }, 'model-config', /model_type: found nothing/],
  ['a width that the weights do not have', { hidden_size: 32 }, 'shape', /embed_tokens.weight: found \[256, 64\], expected \[256, 32\]/],
  ['head counts that the weights do not have', { num_key_value_heads: 4 }, 'shape', /k_proj.weight: found \[32, 64\], expected \[64, 64\]/],
  [
    'a vocabulary that the weights do not have',
    { vocab_size: 300 },
    'shape',
    /embed_tokens.weight: found \[256, 64\], expected \[300, 64\]/,
  ],
  ['fewer layers than the weights', { num_hidden_layers: 1 }, 'checkpoint', /9 tensors.*no place for: model\.layers\.1\./],
  ['more layers than the weights', { num_hidden_layers: 3 }, 'checkpoint', /model\.layers\.2\.\S+: found no such tensor/],
]

test.each(CONFIGS)('%s is refused', async (_, change, code, message) => {
  await changeConfig(change)
  await expectRefused(code, message)
})

describe('files', () => {
  test('a folder without config.json is refused', async () => {
    await rm(join(folder, 'config.json'))
    await expectRefused('model-config', /no config.json/)
  })

  test('a config.json that is not JSON is refused', async () => {
    await writeFile(join(folder, 'config.json'), '{"model_type": "llama", "hidden_size": ')
    await expectRefused('model-config', /not JSON/)
  })

  test('NaN in config.json is refused', async () => {
    await writeFile(join(folder, 'config.json'), '{"model_type": "llama", "hidden_size": NaN}')
    await expectRefused('model-config', /hidden_size: found NaN|not JSON/)
  })

  test('a config.json that is a list is refused', async () => {
    await writeFile(join(folder, 'config.json'), '[]')
    await expectRefused('model-config', /expected a JSON object/)
  })

  test('a missing tensor is named with its shape', async () => {
    await changeTensors((tensors) => tensors.delete('model.norm.weight'))
    await expectRefused('checkpoint', /model.norm.weight: found no such tensor, expected one of shape \[64\]/)
  })

  test('a tensor that nothing reads is named', async () => {
    await changeTensors((tensors) => tensors.set('model.layers.0.extra.weight', { shape: [2], data: new Float32Array(2) }))
    await expectRefused('checkpoint', /1 tensors.*model.layers.0.extra.weight/)
  })

  test('heads for several tokens ahead are passed over, and the plan says so', async () => {
    await changeTensors((tensors) => {
      tensors.set('mtp.layers.0.norm.weight', { shape: [2], data: new Float32Array(2) })
      tensors.set('medusa_head.0.weight', { shape: [2], data: new Float32Array(2) })
    })
    await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
    expect(lm.plan.notes).toContainEqual(
      expect.stringMatching(/1 tensors are not used \(mtp\.layers\.0\.norm\.weight, …\).*MTP.*not use them yet/),
    )
    expect(lm.plan.notes).toContainEqual(expect.stringMatching(/medusa_head.*not use them yet/))
  })

  test('buffers of older exporters are passed over', async () => {
    await changeTensors((tensors) => tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [2], data: new Float32Array(2) }))
    await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
    expect(lm.config.layers).toBe(2)
  })

  test('a weight that is not a number is refused by the formats of integers', async () => {
    await changeTensors((tensors) => tensors.get('model.layers.0.mlp.up_proj.weight')?.data.fill(Number.NaN, 5, 6))
    await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
    expect(lm.plan.formats.linear).toBe('f32')
    await expect(loadCausalLM(folder, { format: 'int8' })).rejects.toMatchObject({ code: 'weights-format' })
  })
})

test('an unknown format is refused with the known ones', async () => {
  const format = 'int3' as 'int4' // what a caller without types may pass
  await expect(loadCausalLM(folder, { format })).rejects.toThrow(/"int3".*auto, f32, int8/)
})

test('an unknown way to hold cached rows is refused with the known ones', async () => {
  const cache = 'int8' as 'float16' // what a caller without types may pass
  await expect(loadCausalLM(folder, { cache })).rejects.toThrow(/"int8".*auto, float32, float16/)
})

test('an abort while weights are converted leaves nothing behind', async () => {
  const stopping = new AbortController()
  const reason = new Error('enough')
  const loading = loadCausalLM(folder, { format: 'int8', signal: stopping.signal, onProgress: () => stopping.abort(reason) })
  await expect(loading).rejects.toBe(reason)
  expect(await temporary()).toEqual([])
})

test('an open model leaves no temporary file behind, even if it is never disposed of', async () => {
  const lm = await loadCausalLM(folder, { format: 'int8', selfTest: false })
  expect(await temporary()).toEqual([])
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.of(1), cache, want: { logits: 'last' } })
  expect(logits?.data.every(Number.isFinite)).toBe(true)
  await lm[Symbol.asyncDispose]()
})
