/** Adapters that must be refused: the key, the module or the tensor is named. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeSafetensors } from '@foretoken/weights'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AdapterOptions, loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { tinyPair, writeAdapter } from './tiny-adapter.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'refused-adapters-'))
})
afterEach(() => rm(path, { recursive: true }))

const query = tinyPair('model.layers.0.self_attn.q_proj', [64, 64], 4, 1)

async function expectRefused(code: string, message: RegExp, options: Partial<AdapterOptions> = {}): Promise<void> {
  const { folder } = await checkpointFixture('llama')
  const loading = loadCausalLM(folder, { format: 'f32', adapters: [{ path, ...options }], selfTest: false })
  await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
}

const CONFIGS: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ['another method', { peft_type: 'IA3' }, /peft_type: found "IA3", expected one of LORA/],
  ['DoRA', { use_dora: true }, /use_dora.*DoRA are not built/],
  ['modules to save', { modules_to_save: ['lm_head'] }, /modules_to_save: found \["lm_head"\]/],
  ['trained biases', { bias: 'all' }, /bias: found "all", expected one of none/],
  ['biases of its own', { lora_bias: true }, /lora_bias/],
  ['repeated layers', { layer_replication: [[0, 2]] }, /layer_replication/],
  ['parameters', { target_parameters: ['experts.gate_up_proj'] }, /target_parameters/],
  ['a start that changes the model', { init_lora_weights: 'pissa' }, /init_lora_weights: found "pissa"/],
  ['a key that is not known', { use_something_else: 3 }, /use_something_else: found 3, expected a key that is known/],
  ['another task', { task_type: 'SEQ_CLS' }, /task_type: found "SEQ_CLS"/],
  ['no rank', { r: null }, /\br: found nothing/],
  ['an expression among the ranks', { rank_pattern: { '(a+)+b': 3 } }, /rank_pattern: found "\(a\+\)\+b", expected names of modules/],
]

test.each(CONFIGS)('%s: refused by name', async (_, config, message) => {
  await writeAdapter(path, [query], config)
  await expectRefused('model-config', message)
})

describe('modules', () => {
  test('one that the model does not have is named', async () => {
    await writeAdapter(path, [query, tinyPair('model.layers.0.self_attn.w_proj', [64, 64], 4, 2)])
    await expectRefused('checkpoint', /1 modules that the model has no linear layer for: model\.layers\.0\.self_attn\.w_proj/)
  })

  test('a layer beyond the last is named', async () => {
    await writeAdapter(path, [tinyPair('model.layers.2.self_attn.q_proj', [64, 64], 4, 2)])
    await expectRefused('checkpoint', /model\.layers\.2\.self_attn\.q_proj/)
  })

  test('a target without tensors is named', async () => {
    await writeAdapter(path, [query], { target_modules: ['q_proj', 'wo_proj'] })
    await expectRefused('checkpoint', /target_modules: found wo_proj, of which adapter_model\.safetensors has no tensors/)
  })
})

describe('tensors', () => {
  test("a width that is not the model's is refused", async () => {
    await writeAdapter(path, [tinyPair('model.layers.0.self_attn.q_proj', [64, 32], 4, 1)])
    await expectRefused('shape', /q_proj: found an adapter from 32 to 64, expected one from 64 to 64/)
    await expectRefused('shape', /q_proj: found an adapter from 32 to 64/, { mode: 'runtime' })
  })

  test('a rank that the configuration does not say is refused', async () => {
    await writeAdapter(path, [query], { r: 8 })
    await expectRefused('shape', /lora_A\.weight: found \[4, 64\], expected \[8, inputs\]/)
  })

  const half = {
    name: 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight',
    encoding: 'F32' as const,
    shape: [4, 64],
    bytes: new Uint8Array(1024),
  }
  test('a matrix without its other half is named', async () => {
    await writeAdapter(path, [query])
    await writeFile(join(path, 'adapter_model.safetensors'), Buffer.concat(writeSafetensors([half])))
    await expectRefused('checkpoint', /q_proj\.lora_B\.weight: found no such tensor/)
  })

  test('tensors of other kinds are named', async () => {
    await writeAdapter(path, [query])
    const name = 'base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector'
    await writeFile(join(path, 'adapter_model.safetensors'), Buffer.concat(writeSafetensors([half, { ...half, name }])))
    await expectRefused('checkpoint', /1 tensors that are no part of a LoRA: .*lora_magnitude_vector/)
  })

  test('pickled adapters are not read', async () => {
    await writeAdapter(path, [query])
    await rename(join(path, 'adapter_model.safetensors'), join(path, 'adapter_model.bin'))
    await expectRefused('checkpoint', /adapter_model\.bin.*pickled/)
  })

  test('a folder without a configuration is refused', async () => {
    await expectRefused('model-config', /no adapter_config\.json/)
  })
})

describe('options and steps', () => {
  beforeEach(() => writeAdapter(path, [query]))

  test('two adapters of one name are refused', async () => {
    const { folder } = await checkpointFixture('llama')
    const adapters = [{ path }, { path }]
    await expect(loadCausalLM(folder, { adapters })).rejects.toMatchObject({
      code: 'argument',
      message: expect.stringMatching(/two adapters called/),
    })
  })

  test('a scale that is no number is refused', () => expectRefused('argument', /scale: found NaN/, { scale: Number.NaN }))

  test('a step that names an adapter that is not there, or that is merged, is refused', async () => {
    const { folder } = await checkpointFixture('llama')
    await using lm = await loadCausalLM(folder, { format: 'f32', adapters: [{ path, name: 'mine', mode: 'runtime' }], selfTest: false })
    await using cache = lm.createCache()
    const step = { tokens: Int32Array.of(1), cache, want: {} }
    await expect(lm.forward({ ...step, adapters: { other: 1 } })).rejects.toThrow(/adapters: found other, expected runtime adapters: mine/)
    await expect(lm.forward({ ...step, adapters: { mine: Number.NaN } })).rejects.toMatchObject({ code: 'step' })
    expect((await lm.forward({ ...step, adapters: { mine: 2 } })).rows.steps).toBe(1)
  })
})
