import { generateBeams, generateText, PrefixCache } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { byteTokenizer } from './fakes/byte-tokenizer.ts'
import { fakeModel, hashModel, uniformModel } from './fakes/fake-model.ts'
import { slowBeamSearch } from './slow/beam-search.ts'
import { slowRepetition } from './slow/processors.ts'
import { softmaxOf } from './slow/truncation.ts'

const PROMPT = [1, 2]

/** Log-probabilities of the hash model, as float32 like the scores of the search. */
function logProbabilities(vocab: number, context: readonly number[]): number[] {
  const row = hashModel({ vocab }).logitsAfter(context)
  return Array.from(Float32Array.from(softmaxOf(Array.from(row)), Math.log))
}

test('with room for every output, the best hypothesis is the best of all outputs', async () => {
  const vocab = 4
  const room = 4
  const stop = 3
  for (const lengthPenalty of [0, 0.5, 1, 2]) {
    let best = { score: Number.NEGATIVE_INFINITY, ids: [] as readonly number[] }
    const visit = (ids: readonly number[], sum: number) => {
      if (ids.at(-1) === stop || ids.length === room) {
        const score = sum / ids.length ** lengthPenalty
        if (score > best.score) best = { score, ids }
        return
      }
      logProbabilities(vocab, [...PROMPT, ...ids]).forEach((score, token) => {
        visit([...ids, token], sum + score)
      })
    }
    visit([], 0)
    const [found] = await generateBeams(hashModel({ vocab }), {
      tokens: PROMPT,
      maxNewTokens: room,
      stopTokens: [stop],
      beams: { count: vocab ** room, lengthPenalty, earlyStopping: 'never' },
    })
    expect(found?.ids).toEqual(best.ids)
    expect(found?.score).toBeCloseTo(best.score, 5)
  }
})

test('all hypotheses are those of the rules written down plainly', async () => {
  for (const count of [1, 2, 3, 5]) {
    for (const lengthPenalty of [-1, 0, 1, 1.5]) {
      for (const earlyStopping of [true, false, 'never'] as const) {
        for (const stopTokens of [[], [6], [2, 6, 7]]) {
          for (const repetitionPenalty of [1, 1.5]) {
            const tokens = [count, stopTokens.length, 4]
            const expected = slowBeamSearch({
              next: (output) => slowRepetition(logProbabilities(8, [...tokens, ...output]), tokens, output, repetitionPenalty),
              count,
              room: 7,
              lengthPenalty,
              earlyStopping,
              stopTokens,
            })
            const lm = hashModel({ vocab: 8 })
            const options = { tokens, maxNewTokens: 7, stopTokens, repetitionPenalty, beams: { count, lengthPenalty, earlyStopping } }
            const found = await generateBeams(lm, options)
            expect(
              found.map(({ ids }) => ids),
              JSON.stringify(options),
            ).toEqual(expected.map(({ ids }) => ids))
            for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i]?.score ?? 0, 4)
            expect(lm.openCaches.size).toBe(0)
          }
        }
      }
    }
  }
})

test('one beam without stop tokens is greedy decoding', async () => {
  const options = { tokens: PROMPT, maxNewTokens: 20, stopTokens: [] }
  const greedy = await generateText(hashModel({ vocab: 32 }), options)
  const beam = await generateText(hashModel({ vocab: 32 }), { ...options, beams: { count: 1 } })
  expect(beam.ids).toEqual(greedy.ids)
  expect(beam.logProbabilities).toEqual(greedy.logProbabilities)
})

test('a beam finds the output that greedy decoding misses', async () => {
  // Token 1 looks better at first, but everything after it is improbable; after 2 token 3 is nearly certain.
  const lm = fakeModel({
    vocab: 4,
    logits: (context) => (context.length === 1 ? [0, 2, 1.9, 0] : context.at(-1) === 2 ? [0, 0, 0, 10] : [0, 0, 0, 0]),
  })
  expect((await generateText(lm, { tokens: [0], maxNewTokens: 2 })).ids).toEqual([1, 0])
  expect((await generateText(lm, { tokens: [0], maxNewTokens: 2, beams: { count: 2 } })).ids).toEqual([2, 3])
})

test('the output comes as one piece with text, and a stop string ends a beam', async () => {
  const text = 'one STOP'
  const lm = fakeModel({
    vocab: 259,
    tokenizer: byteTokenizer(),
    logits: (context) => {
      const row = new Float32Array(259)
      row[text.charCodeAt(context.length - 1) || 256] = 20
      return row
    },
  })
  const output = await generateText(lm, { tokens: [63], stopStrings: ['STOP'], beams: { count: 2, earlyStopping: true, lengthPenalty: 0 } })
  expect(output.text).toBe('one ')
  expect(output.finishReason).toBe('stop-string')
  expect(output.ids).toHaveLength(8)
})

test('a prefix cache keeps the rows of the prompt', async () => {
  const lm = hashModel({ vocab: 16 })
  await using cache = new PrefixCache(lm)
  const first = await generateText(lm, { tokens: [1, 2, 3], maxNewTokens: 4, cache, beams: { count: 3 } })
  expect(Array.from(cache.tokens)).toEqual([1, 2, 3])
  const second = await generateText(lm, { tokens: [1, 2, 3, 4], maxNewTokens: 4, cache, beams: { count: 3 } })
  expect(first.statistics.reusedTokens).toBe(0)
  expect(second.statistics.reusedTokens).toBe(3)
  expect(lm.openCaches.size).toBe(1)
})

test('an abort ends the search within one step and leaves no cache', async () => {
  const controller = new AbortController()
  const lm = uniformModel({ vocab: 8, onStep: (call) => (call === 3 ? controller.abort('enough') : undefined) })
  await expect(generateBeams(lm, { tokens: [1], beams: { count: 2 }, signal: controller.signal })).rejects.toBe('enough')
  expect(lm.calls).toBe(3)
  expect(lm.openCaches.size).toBe(0)
})

test.each([
  ['no beams', { count: 0 }, {}],
  ['a fraction of a beam', { count: 1.5 }, {}],
  ['a length penalty of NaN', { count: 2, lengthPenalty: Number.NaN }, {}],
  ['sampling', { count: 2 }, { sampling: { kind: 'sample' } }],
  ['topLogProbabilities', { count: 2 }, { topLogProbabilities: 3 }],
] as const)('%s is refused', async (_, beams, options) => {
  const run = generateBeams(uniformModel({ vocab: 8 }), { tokens: [1], beams, ...options })
  await expect(run).rejects.toMatchObject({ code: 'argument' })
})
