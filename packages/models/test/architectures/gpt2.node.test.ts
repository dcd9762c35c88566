import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { checkpointOf, fixtureParts, ggufOf, logitsOf, type PlainTensor, transposed } from '../checkpoint-variants.ts'
import { expectStoredBlocks } from '../stored-blocks.ts'

const PREFIX = 'transformer.'

test('a checkpoint without the prefix of its names, with the buffers and the second head of older exporters, gives the same logits', async () => {
  const { config, tensors, tokens } = await fixtureParts('gpt2')
  const expected = await logitsOf(await checkpointOf(config, tensors), tokens)
  const published = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) published.set(name.slice(PREFIX.length), tensor)
  published.set('h.0.attn.bias', { shape: [1, 1, 96, 96], data: new Float32Array(96 * 96) })
  published.set('h.0.attn.masked_bias', { shape: [], data: new Float32Array(1) })
  const head = tensors.get('transformer.wte.weight')
  if (head !== undefined) published.set('lm_head.weight', head)
  expect(await logitsOf(await checkpointOf(config, published), tokens)).toEqual(expected)
})

test('a configuration with the common names of the sizes reads the same', async () => {
  const { config, tensors, tokens } = await fixtureParts('gpt2')
  const { n_embd, n_layer, n_head, n_positions, ...rest } = config
  const common = {
    ...rest,
    hidden_size: n_embd,
    num_hidden_layers: n_layer,
    num_attention_heads: n_head,
    max_position_embeddings: n_positions,
  }
  expect(await logitsOf(await checkpointOf(common, tensors), tokens)).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

/** The tensors as llama.cpp writes them: the weights of Conv1D turned into [outputs, inputs]. */
function ggufTensors(tensors: ReadonlyMap<string, PlainTensor>, encoding?: 'Q8_0'): Map<string, PlainTensor> {
  const parts = [
    ['wte', 'token_embd'],
    ['wpe', 'position_embd'],
    ['ln_f', 'output_norm'],
    ['ln_1', 'attn_norm'],
    ['c_attn', 'attn_qkv'],
    ['attn.c_proj', 'attn_output'],
    ['ln_2', 'ffn_norm'],
    ['c_fc', 'ffn_up'],
    ['mlp.c_proj', 'ffn_down'],
  ] as const
  const stored = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) {
    const layer = /\.h\.(\d+)\./.exec(name)?.[1]
    const [, part] = parts.find(([each]) => name.includes(`.${each}.`)) ?? []
    const to = `${layer === undefined ? '' : `blk.${layer}.`}${part}${name.slice(name.lastIndexOf('.'))}`
    stored.set(to, /c_\w+\.weight$/.test(name) ? { ...transposed(tensor), ...(encoding && { encoding }) } : tensor)
  }
  return stored
}

const SIZES = {
  context_length: 96,
  embedding_length: 64,
  feed_forward_length: 256,
  block_count: 2,
  'attention.head_count': 4,
  'attention.layer_norm_epsilon': 1e-5,
}

test("llama.cpp's file of the same weights gives the same bits", async () => {
  const { config, tensors, tokens } = await fixtureParts('gpt2')
  const stored = ggufTensors(tensors)
  const expected = await logitsOf(await checkpointOf(config, tensors), tokens)
  expect(await logitsOf(await ggufOf('gpt2', SIZES, stored), tokens)).toEqual(expected)
  // older converters wrote the tied head a second time
  const head = stored.get('token_embd.weight')
  if (head !== undefined) stored.set('output.weight', head)
  expect(await logitsOf(await ggufOf('gpt2', SIZES, stored), tokens)).toEqual(expected)
})

test('the blocks of a quantised file run as they are stored', async () => {
  const { tensors, tokens } = await fixtureParts('gpt2')
  await expectStoredBlocks(() => ggufOf('gpt2', SIZES, ggufTensors(tensors, 'Q8_0')), tokens)
})

test('positions end with the table of their embeddings, in one step and by decoding', async () => {
  const { folder } = await checkpointFixture('gpt2')
  for (const format of ['f32', 'int4'] as const) {
    await using lm = await loadCausalLM(folder, { format, selfTest: false })
    await using cache = lm.createCache()
    const beyond = { tokens: new Int32Array(97).fill(5), cache, want: {} }
    await expect(lm.forward(beyond)).rejects.toMatchObject({
      code: 'step',
      message: expect.stringMatching(/positions: found 96, expected positions below 96/),
    })
    cache.append((await lm.forward({ ...beyond, tokens: new Int32Array(95).fill(5) })).rows)
    // the last position; with 4 bits a second row runs beside it
    cache.append((await lm.forward({ ...beyond, tokens: Int32Array.of(7) })).rows)
    await expect(lm.forward({ ...beyond, tokens: Int32Array.of(7) })).rejects.toMatchObject({ code: 'step' })
    cache.truncate(90)
    expect((await lm.forward({ ...beyond, positions: Int32Array.of(90), tokens: Int32Array.of(7) })).rows.steps).toBe(1)
  }
})

test.each([
  ['add_cross_attention', { add_cross_attention: true }, /add_cross_attention: found true/],
  ['heads that do not divide the width', { n_head: 5 }, /n_head: found 5 heads for a width of 64/],
  ['sizes that contradict each other', { hidden_size: 32 }, /hidden_size: found 32, expected 64, as n_embd says/],
  ['an unknown activation', { activation_function: 'sine' }, /activation_function: found "sine"/],
  ['a million layers', { n_layer: 1_000_000 }, /n_layer: found 1000000, expected a whole number from 1 to 10000/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('gpt2')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
