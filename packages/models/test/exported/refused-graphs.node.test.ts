/** Exported graphs that must be refused before ONNX Runtime sees them: what and where is named. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { add, encodeModel, Graph } from '@foretoken/graph'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { exportLlama, tinyWeights, writeGraph } from './exported-graph.ts'
import { writeKeptExport } from './kept-export.ts'

let folder: string
let graphFile: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refused-graphs-'))
  graphFile = join(folder, 'onnx', 'model.onnx')
  await mkdir(join(folder, 'onnx'))
  await cp(join((await checkpointFixture('llama')).folder, 'config.json'), join(folder, 'config.json'))
})
afterEach(() => rm(folder, { recursive: true }))

const llama = async () => exportLlama(await tinyWeights((await checkpointFixture('llama')).folder), { attention: 'group-query' })

async function expectRefused(code: string, message: RegExp): Promise<void> {
  await expect(loadCausalLM(folder)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
}

/** A graph of inputs and outputs with nothing between them but what makes it valid. */
async function writeInterface(inputs: Record<string, [type: 'int64' | 'float32' | 'bool', dims: (number | string)[]]>, outputs: string[]) {
  const graph = new Graph({ name: 'interface' })
  for (const [name, [type, dims]] of Object.entries(inputs)) graph.input(name, type, dims)
  const zero = graph.constant('float32', [1, 1, 1, 1], [0])
  for (const name of outputs) {
    const rank3 = graph.constant('float32', [1, 1, 256], new Array<number>(256).fill(0))
    graph.output(name, name === 'logits' ? add(rank3, 0) : add(zero, 0))
  }
  await writeFile(graphFile, encodeModel(graph).bytes())
}

const IDS = { input_ids: ['int64', ['batch', 'steps']] as ['int64', string[]] }
const MASK = { attention_mask: ['int64', ['batch', 'context']] as ['int64', string[]] }
const past = (which: string, dims: (number | string)[] = ['batch', 2, 'past', 16]) => ({
  [`past_key_values.0.${which}`]: ['float32', dims] as ['float32', (number | string)[]],
})
const PAST = { ...past('key'), ...past('value') }
const PRESENT = ['present.0.key', 'present.0.value']

const INTERFACES: readonly (readonly [string, Parameters<typeof writeInterface>[0], string[], RegExp])[] = [
  ['without input_ids', { ...MASK, ...PAST }, ['logits', ...PRESENT], /input_ids: found no such input/],
  ['without a cache', { ...IDS, ...MASK }, ['logits'], /no past_key_values\.N\.key.*exported with its cache/],
  [
    'with keys and no values',
    { ...IDS, ...past('key'), 'past_key_values.1.key': ['float32', ['b', 2, 'p', 16]] },
    ['logits', ...PRESENT],
    /past_key_values\.0\.value: found no such input/,
  ],
  [
    'with an unknown input',
    { ...IDS, ...PAST, token_type_ids: ['int64', ['batch', 'steps']] },
    ['logits', ...PRESENT],
    /found token_type_ids, expected input_ids/,
  ],
  [
    'of an encoder-decoder',
    { ...IDS, ...PAST, encoder_hidden_states: ['float32', ['b', 's', 8]] },
    ['logits', ...PRESENT],
    /encoder_hidden_states: found a part of an encoder-decoder/,
  ],
  [
    'with the cache of an encoder',
    { ...IDS, 'past_key_values.0.encoder.key': ['float32', ['b', 2, 'p', 16]] },
    ['logits'],
    /encoder-decoder/,
  ],
  [
    'that takes embeddings',
    { ...MASK, ...PAST, inputs_embeds: ['float32', ['b', 's', 64]] },
    ['logits', ...PRESENT],
    /inputs_embeds: found a decoder that takes embeddings from another graph/,
  ],
  [
    'with recurrent state',
    { ...IDS, ...PAST, 'past_conv.0': ['float32', ['b', 8, 3]] },
    ['logits', ...PRESENT],
    /past_conv\.0: found a model with recurrent state/,
  ],
  ['without logits', { ...IDS, ...PAST }, PRESENT, /logits: found no such output/],
  ['that does not return its cache', { ...IDS, ...PAST }, ['logits', 'present.0.key'], /present\.0\.value: found no such output/],
  [
    'with ids of another type',
    { input_ids: ['float32', ['b', 's']], ...PAST },
    ['logits', ...PRESENT],
    /input_ids: found float32, expected int64 or int32/,
  ],
  [
    'with a fixed number of rows',
    { input_ids: ['int64', ['b', 1]], ...PAST },
    ['logits', ...PRESENT],
    /input_ids: found 1 rows in every step/,
  ],
  ['with a fixed batch', { input_ids: ['int64', [4, 's']], ...PAST }, ['logits', ...PRESENT], /input_ids: found a batch of 4/],
  [
    'with keys of three dimensions and values of four',
    { ...IDS, ...past('key', ['b', 16, 'p']), ...past('value') },
    ['logits', ...PRESENT],
    /present\.0\.key: found \[1, 1, 1, 1\], expected 3 dimensions/,
  ],
  [
    'with a cache of three dimensions, all open',
    { ...IDS, ...past('key', ['b', 'd', 'p']), ...past('value') },
    ['logits', ...PRESENT],
    /past_key_values\.0\.key: found \[b, d, p\], expected \[batch x heads, a number for the width/,
  ],
  [
    'with a cache of two dimensions',
    { ...IDS, ...past('key', ['b', 16]), ...past('value') },
    ['logits', ...PRESENT],
    /past_key_values\.0\.key: found \[b, 16\], expected 3 or 4 dimensions/,
  ],
]

test.each(INTERFACES)('a graph %s is refused', async (_, inputs, outputs, message) => {
  await writeInterface(inputs, outputs)
  await expectRefused('unsupported-architecture', message)
})

const CONFIGS: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ['more layers', { num_hidden_layers: 3 }, /num_hidden_layers: found 3 layers, expected 2/],
  ['other heads', { num_attention_heads: 8 }, /num_attention_heads: found 8 heads, expected 4/],
  ['other heads of keys and values', { num_key_value_heads: 4 }, /num_key_value_heads: found 4 heads.*expected 2/],
  ['another width of heads', { head_dim: 32 }, /head_dim: found 32, expected 16/],
  ['another vocabulary', { vocab_size: 300 }, /vocab_size: found 300, expected 256/],
  ['no width', { hidden_size: undefined }, /hidden_size: found nothing/],
]

describe('a configuration that contradicts the graph', () => {
  test.each(CONFIGS)('%s: refused', async (_, change, message) => {
    await writeGraph(await llama(), graphFile)
    const file = join(folder, 'config.json')
    const config: unknown = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...(config as object), ...change }))
    await expectRefused('model-config', message)
  })

  test.each([
    ['optimum', 'llama'],
    ['optimum', 'mistral'],
    ['genai', 'qwen2'],
  ])('other heads of keys and values than the cache of %s has for %s: refused', async (exporter, checkpoint) => {
    await writeKeptExport(exporter, checkpoint, folder)
    const file = join(folder, 'config.json')
    const config: unknown = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...(config as object), num_key_value_heads: 4 }))
    await expectRefused('model-config', /num_key_value_heads: found 4 heads of keys and values, expected 2, as in the cache of the graph/)
  })

  test('a graph without a configuration is refused', async () => {
    await writeGraph(await llama(), graphFile)
    await rm(join(folder, 'config.json'))
    await expectRefused('model-config', /model\.onnx: found no config\.json/)
  })
})

describe('files', () => {
  test('what is no ONNX file is refused with its name', async () => {
    await writeFile(graphFile, 'this is a text about models')
    await expectRefused('onnx-format', /model\.onnx/)
    await writeFile(graphFile, '')
    await expect(loadCausalLM(folder)).rejects.toMatchObject({ message: expect.stringMatching(/model\.onnx/) })
  })

  test('external data beside the graph are read', async () => {
    await writeGraph(await llama(), graphFile, 'model.onnx_data')
    await using lm = await loadCausalLM(folder)
    const { inputIds, expected } = await checkpointFixture('llama')
    await using cache = lm.createCache()
    const { logits } = await lm.forward({ tokens: Int32Array.from(inputIds[0] ?? []), cache, want: { logits: 'all' } })
    expect(largestDifference(logits?.data ?? [], (await expected('logits')).subarray(0, 24 * 256))).toBeLessThan(1e-4)
    expect(lm.memory().weightsBytes).toBeGreaterThan(400_000)
    expect(lm.memory().graphBytes).toBeLessThan(100_000)
  })

  test.each(['../model.onnx_data', '/model.onnx_data'])('external data at %s are refused', async (location) => {
    const bytes = encodeModel(await llama(), { external: { location: 'place_of_the_data_', minimumBytes: 1024 } }).bytes()
    // the same length, so that no size in the file changes
    const wrong = Buffer.from(bytes)
    const padded = Buffer.from(location.padEnd('place_of_the_data_'.length, '_'))
    for (let at = wrong.indexOf('place_of_the_data_'); at >= 0; at = wrong.indexOf('place_of_the_data_')) padded.copy(wrong, at)
    await writeFile(graphFile, wrong)
    await expectRefused('onnx-format', /relative path inside of the folder/)
  })

  test('missing external data are named', async () => {
    await writeGraph(await llama(), graphFile, 'model.onnx_data')
    await rm(join(folder, 'onnx', 'model.onnx_data'))
    await expectRefused('checkpoint', /external data: found no file model\.onnx_data/)
  })

  test('external data that are a link out of the folder are refused', async () => {
    await writeGraph(await llama(), graphFile, 'model.onnx_data')
    await cp(join(folder, 'onnx', 'model.onnx_data'), join(folder, 'elsewhere'))
    await rm(join(folder, 'onnx', 'model.onnx_data'))
    await symlink('../elsewhere', join(folder, 'onnx', 'model.onnx_data'))
    await expectRefused('checkpoint', /model\.onnx_data, which leads to .*elsewhere/)
  })

  test("links of the hub's cache, of the graph and of its data into one folder, are followed", async () => {
    await writeGraph(await llama(), join(folder, 'blobs', 'graph'), 'model.onnx_data')
    await symlink('../blobs/graph', graphFile)
    await symlink('../blobs/model.onnx_data', join(folder, 'onnx', 'model.onnx_data'))
    await using lm = await loadCausalLM(folder, { selfTest: false })
    expect(lm.config.layers).toBe(2)
  })
})

describe('which weights are taken', () => {
  beforeEach(async () => {
    await writeGraph(await llama(), graphFile)
  })

  test('a folder with safetensors too is opened as safetensors unless an export is asked for', async () => {
    await cp(join((await checkpointFixture('llama')).folder, 'model.safetensors'), join(folder, 'model.safetensors'))
    await using built = await loadCausalLM(folder, { format: 'f32', selfTest: false })
    expect(built.capabilities.treeVisibility).toBe(true)
    await using exported = await loadCausalLM(folder, { exported: {}, selfTest: false })
    expect(exported.plan.formats.graph).toBe('as exported')
  })

  test('a variant is chosen by the end of its name, and a missing one is named', async () => {
    await cp(graphFile, join(folder, 'onnx', 'model_quantized.onnx'))
    await using lm = await loadCausalLM(folder, { exported: { variant: 'q8' }, selfTest: false })
    expect(lm.config.layers).toBe(2)
    await expect(loadCausalLM(folder, { exported: { variant: 'q4' } })).rejects.toThrow(
      /model\.onnx, onnx\/model_quantized\.onnx.*variant q4/,
    )
  })

  test('the file itself is a source, with its configuration beside it or above', async () => {
    await using above = await loadCausalLM(graphFile, { selfTest: false })
    await cp(join(folder, 'config.json'), join(folder, 'onnx', 'config.json'))
    await using beside = await loadCausalLM(graphFile, { selfTest: false })
    expect([above.config, beside.config]).toEqual([beside.config, above.config])
  })

  test("an exported graph in the hub's cache is opened by its name, and where the repository has nothing else", async () => {
    const commit = '0123456789abcdef0123456789abcdef01234567'
    const repository = join(folder, 'cache', 'models--acme--exported')
    await mkdir(join(repository, 'refs'), { recursive: true })
    await writeFile(join(repository, 'refs', 'main'), commit)
    await cp(join(folder, 'config.json'), join(repository, 'snapshots', commit, 'config.json'))
    await cp(graphFile, join(repository, 'snapshots', commit, 'onnx', 'model_q4.onnx'))
    const options = { selfTest: false, hub: { cacheFolder: join(folder, 'cache'), offline: true } }
    for (const source of ['acme/exported', 'acme/exported/onnx/model_q4.onnx']) {
      await using lm = await loadCausalLM(source, options)
      expect(lm.plan.formats.graph).toBe('as exported')
    }
    await expect(loadCausalLM('acme/exported/onnx/model.onnx', options)).rejects.toMatchObject({ code: 'repository' })
  })

  test('a format of weights is refused for a graph that has its own', async () => {
    await expect(loadCausalLM(folder, { format: 'int8' })).rejects.toMatchObject({
      code: 'argument',
      message: expect.stringMatching(/format.*int8/),
    })
  })
})
