import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CausalLM, type DecodeStep, loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

let lm: CausalLM
beforeAll(async () => {
  lm = await loadCausalLM(await (await checkpointFixture('llama')).open(), { format: 'f32', selfTest: false })
})
afterAll(() => lm[Symbol.asyncDispose]())

const REFUSED: readonly (readonly [string, Partial<DecodeStep>, RegExp])[] = [
  ['no tokens', { tokens: new Int32Array(0) }, /tokens: found no tokens/],
  ['a token beyond the vocabulary', { tokens: Int32Array.of(1, 256) }, /token 256.*ids from 0 to 255/],
  ['a negative token', { tokens: Int32Array.of(-1) }, /token -1/],
  ['embeddings of another width', { tokens: new Float32Array(63) }, /63 numbers.*64 numbers/],
  ['too few positions', { positions: Int32Array.of(0) }, /1 positions.*2/],
  ['a negative position', { positions: Int32Array.of(-1, 0) }, /positions: found -1/],
  ['a row that is not there', { want: { logits: Int32Array.of(2) } }, /row 2.*0 to 1/],
  ['no rows', { want: { logits: new Int32Array(0) } }, /no rows/],
  ['a k of zero', { want: { topK: 0 } }, /want.topK: found 0/],
  ['a k beyond the vocabulary', { want: { topK: 257 } }, /257.*1 to 256/],
  ['a hidden state beyond the last layer', { want: { hidden: [3] } }, /want.hidden: found 3/],
  ['a parent after its child', { visibility: { kind: 'tree', parents: Int32Array.of(1, -1) } }, /parent 1 of row 0/],
  ['a tree of another size', { visibility: { kind: 'tree', parents: Int32Array.of(-1) } }, /1 entries.*2/],
  ['a mask without its diagonal', { visibility: { kind: 'dense', visible: Uint8Array.of(1, 0, 1, 0) } }, /row 1 that does not see itself/],
  ['a mask of another size', { visibility: { kind: 'dense', visible: new Uint8Array(3) } }, /3 entries.*4/],
]

test.each(REFUSED)('%s is refused before anything runs, and the model goes on', async (_, change, message) => {
  await using cache = lm.createCache()
  const step: DecodeStep = { tokens: Int32Array.of(1, 2), cache, want: { logits: 'last' }, ...change }
  const error = await lm.forward(step).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'step', message: expect.stringMatching(message) })
  expect(cache.length).toBe(0)
  expect((await lm.forward({ tokens: Int32Array.of(1), cache, want: { logits: 'last' } })).rows.steps).toBe(1)
})

test("another model's cache is refused", async () => {
  await using other = await loadCausalLM(await (await checkpointFixture('llama-mqa')).open(), { format: 'f32', selfTest: false })
  await using cache = other.createCache()
  await expect(lm.forward({ tokens: Int32Array.of(1), cache, want: {} })).rejects.toMatchObject({ code: 'step' })
})

test('a cache that holds its rows in another way is refused', async () => {
  await using half = await loadCausalLM(await (await checkpointFixture('llama')).open(), {
    format: 'f32',
    cache: 'float16',
    selfTest: false,
  })
  expect(half.plan.formats.cache).toBe('float16')
  await using cache = half.createCache()
  await expect(lm.forward({ tokens: Int32Array.of(1), cache, want: {} })).rejects.toThrow(/a cache of float16.*one of float32/)
})

describe('life', () => {
  test('a step that was aborted before it ran rejects with the reason, and the next one runs', async () => {
    await using cache = lm.createCache()
    const reason = new Error('enough')
    const step = { tokens: Int32Array.of(1), cache, want: {} }
    await expect(lm.forward({ ...step, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect((await lm.forward(step)).rows.steps).toBe(1)
  })

  test('a model can be disposed of twice, waits for the step under way, and refuses what comes after', async () => {
    const own = await loadCausalLM(await (await checkpointFixture('llama')).open(), { format: 'f32', selfTest: false })
    await using cache = own.createCache()
    const step = { tokens: Int32Array.of(1), cache, want: {} }
    const running = own.forward(step)
    await Promise.all([own[Symbol.asyncDispose](), own[Symbol.asyncDispose]()])
    expect((await running).rows.steps).toBe(1)
    await expect(own.forward(step)).rejects.toMatchObject({ code: 'disposed' })
    expect(() => own.createCache()).toThrow(/disposed/)
  })
})
