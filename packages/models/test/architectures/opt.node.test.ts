import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { checkpointOf, fixtureParts, logitsOf, type PlainTensor } from '../checkpoint-variants.ts'

test('names without the prefix of the model with its head give the same logits', async () => {
  const { config, tensors, tokens } = await fixtureParts('opt')
  const short = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) short.set(name.replace(/^model\./, ''), tensor)
  expect(await logitsOf(await checkpointOf(config, short), tokens)).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

test('a tied head that is stored as well is passed over', async () => {
  const { config, tensors, tokens } = await fixtureParts('opt')
  const expected = await logitsOf(await checkpointOf(config, tensors), tokens)
  tensors.set('lm_head.weight', { shape: [256, 64], data: new Float32Array(256 * 64) })
  expect(await logitsOf(await checkpointOf(config, tensors), tokens)).toEqual(expected)
})

test('embeddings that are fed are as wide as the stream, behind the projection of the narrow table', async () => {
  const { folder } = await checkpointFixture('opt-post-norm')
  const { tensors, tokens } = await fixtureParts('opt-post-norm')
  const table = tensors.get('model.decoder.embed_tokens.weight')?.data ?? new Float32Array(0)
  const projection = tensors.get('model.decoder.project_in.weight')?.data ?? new Float32Array(0)
  const rows = new Float32Array(tokens.length * 32)
  tokens.forEach((token, row) => {
    for (let output = 0; output < 32; output++) {
      let sum = 0
      for (let input = 0; input < 16; input++) sum += (table[token * 16 + input] ?? 0) * (projection[output * 16 + input] ?? 0)
      rows[row * 32 + output] = sum
    }
  })
  await using lm = await loadCausalLM(folder, { format: 'f32', selfTest: false })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: rows, cache, want: { logits: 'all' } })
  const expected = await logitsOf(folder, tokens)
  logits?.data.forEach((value, at) => {
    expect(value).toBeCloseTo(expected[at] ?? 0, 4)
  })
})

test('positions end two rows before their table does', async () => {
  await using lm = await loadCausalLM((await checkpointFixture('opt')).folder, { format: 'f32', selfTest: false })
  await using cache = lm.createCache()
  const step = (position: number) => ({ tokens: Int32Array.of(5), positions: Int32Array.of(position), cache, want: {} })
  expect((await lm.forward(step(95))).rows.steps).toBe(1)
  await expect(lm.forward(step(96))).rejects.toMatchObject({ code: 'step', message: expect.stringMatching(/positions below 96/) })
})

test.each([
  ['norms without scale and bias', { layer_norm_elementwise_affine: false }, 'model-config', /layer_norm_elementwise_affine: found false/],
  ['an unknown activation', { activation_function: 'sine' }, 'model-config', /activation_function: found "sine"/],
  ['a table of another length', { max_position_embeddings: 98 }, 'shape', /embed_positions.weight: found \[98, 64\], expected \[100, 64\]/],
])('%s is refused', async (_, change, code, message) => {
  const { config, tensors, tokens } = await fixtureParts('opt')
  const opened = async () => logitsOf(await checkpointOf({ ...config, ...change }, tensors), tokens)
  await expect(opened()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})
