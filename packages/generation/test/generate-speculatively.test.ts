/** Speculation gives what plain decoding gives, whatever is proposed. The model is a hash of its context, so a wrong row or prefix shows. */
import type { Drafter, GenerationPiece, Proposal, SingleGenerationOptions, VerifiedStep } from '@foretoken/generation'
import { generate, generateText, PrefixCache, prefixProcessor } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { byteTokenizer } from './fakes/byte-tokenizer.ts'
import { countingModel, fakeModel, hashModel, oneHot, tokensIn } from './fakes/fake-model.ts'

const TOKENS = [3, 1, 4, 1, 5]

/** Random trees, in which the right tokens are frequent enough to be accepted: an oracle proposes them, chance takes them away. */
function randomTrees(seed: number, output: readonly number[], vocab: number): Drafter {
  const random = randomStream({ seed })
  let index = 0
  return {
    name: 'random trees',
    begin: () => ({
      propose({ tokens, most, deepest }) {
        const nodes: number[] = []
        const parents: number[] = []
        const depths: number[] = []
        const rights: boolean[] = []
        const wanted = random.below(Math.min(most, 12) + 1, index++)
        for (let attempt = 0; attempt < wanted; attempt++) {
          const parent = random.below(nodes.length + 1, index++) - 1
          const depth = parent < 0 ? 1 : (depths[parent] ?? 0) + 1
          const isRight = (parent < 0 || rights[parent] === true) && random.below(3, index++) > 0
          const right = output[tokens.length - TOKENS.length + depth - 1] ?? 0
          const token = isRight ? right : random.below(vocab, index++)
          if (depth > deepest || nodes.some((each, node) => parents[node] === parent && each === token)) continue
          nodes.push(token)
          parents.push(parent)
          depths.push(depth)
          rights.push((parent < 0 || rights[parent] === true) && token === right)
        }
        return { tokens: Int32Array.from(nodes), parents: Int32Array.from(parents) }
      },
    }),
  }
}

/** The whole output as chains of so many tokens. */
function oracle(output: readonly number[], draftTokens: number, steps: VerifiedStep[] = []): Drafter {
  return {
    name: 'oracle',
    begin: () => ({
      propose({ tokens, most, deepest }) {
        const at = tokens.length - TOKENS.length
        return chain(output.slice(at, at + Math.min(draftTokens, most, deepest)))
      },
      commit: (step) => void steps.push(step),
    }),
  }
}

const chain = (ids: readonly number[]): Proposal => ({ tokens: Int32Array.from(ids), parents: Int32Array.from(ids, (_, i) => i - 1) })
const proposing = (proposal: Proposal): Drafter => ({ name: 'fixed', begin: () => ({ propose: () => proposal }) })

/** Only tokens of the same parity as the number of tokens before. */
const parity = prefixProcessor('parity', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: Record<string, SingleGenerationOptions> = {
  greedy: {},
  'temperature 0.7': { sampling: { kind: 'sample', temperature: 0.7, seed: 5 } },
  'temperature 1.2 and top-p 0.9': { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 6 }, sequence: 3 },
  'repetition penalty': { repetitionPenalty: 1.1 },
  'a constraint, no repeated 3-gram, sampling': { processors: [parity], noRepeatNgram: 3, sampling: { kind: 'sample', seed: 7 } },
  'stop tokens': { stopTokens: [2, 9] },
  'top log-probabilities': { topLogProbabilities: 3, presencePenalty: 0.5 },
  'a long output': { maxNewTokens: 300, sampling: { kind: 'sample', temperature: 2, seed: 1 } },
}

async function collect(pieces: AsyncIterable<GenerationPiece>): Promise<GenerationPiece[]> {
  const all: GenerationPiece[] = []
  for await (const piece of pieces) all.push(piece)
  return all
}

const withoutTimes = (pieces: readonly GenerationPiece[]) =>
  pieces.map(({ statistics, ...piece }) => ({ ...piece, new: statistics?.newTokens }))

describe.each(Object.entries(OPTIONS))('%s', (_name, options) => {
  test.each([1, 2, 3])('random trees (seed %i) change neither pieces nor cache', async (seed) => {
    const lm = hashModel({ vocab: 12, cut: 16, maxPositions: 200 })
    await using plainCache = new PrefixCache(lm)
    await using cache = new PrefixCache(lm)
    const all = { tokens: TOKENS, maxNewTokens: 40, stopTokens: [], ...options }
    const plain = await collect(generate(lm, { ...all, cache: plainCache, speculate: 'off' }))
    const drafter = randomTrees(
      seed,
      plain.flatMap(({ ids }) => ids),
      12,
    )
    const drafted = await collect(generate(lm, { ...all, cache, speculate: drafter }))
    expect(withoutTimes(drafted)).toEqual(withoutTimes(plain))
    expect(cache.tokens).toEqual(plainCache.tokens)
    const { speculation } = drafted.at(-1)?.statistics ?? {}
    if (plain.length > 20) expect(speculation?.accepted).toBeGreaterThan(0)
    expect(plain.length - 1).toBe((speculation?.accepted ?? 0) + (speculation?.steps ?? 0))
  })
})

test('an oracle is accepted whole: a step gives its drafts and one token more, and never crosses the cut of the model', async () => {
  const lm = hashModel({ vocab: 12, cut: 16 })
  const { ids } = await generateText(lm, { tokens: TOKENS, maxNewTokens: 32, speculate: 'off' })
  lm.steps.length = 0
  const steps: VerifiedStep[] = []
  const { statistics } = await generateText(lm, { tokens: TOKENS, maxNewTokens: 32, speculate: oracle(ids, 4, steps) })
  // rows in the cache: 5, 10, 15 | 16, 21, 26, 31 | 32, and one token left
  expect(lm.steps).toEqual([5, 5, 5, 1, 5, 5, 5, 1, 4])
  expect(statistics.speculation).toMatchObject({ steps: 8, draftedSteps: 6, drafted: 23, accepted: 23, testedByDepth: [6, 6, 6, 5] })
  expect(steps.map(({ past, emitted }) => [past, emitted.length]).slice(0, 4)).toEqual([
    [5, 5],
    [10, 5],
    [15, 1],
    [16, 5],
  ])
})

test('leaving in the middle of an accepted run leaves the cache of plain decoding', async () => {
  const lm = hashModel({ vocab: 12 })
  const { ids } = await generateText(lm, { tokens: TOKENS, maxNewTokens: 20, speculate: 'off' })
  for (let seen = 1; seen <= 9; seen++) {
    await using cache = new PrefixCache(lm)
    let count = 0
    for await (const _piece of generate(lm, { tokens: TOKENS, maxNewTokens: 20, cache, speculate: oracle(ids, 5) }))
      if (++count === seen) break
    expect(Array.from(cache.tokens)).toEqual([...TOKENS, ...ids.slice(0, seen - 1)])
  }
})

test('an abort in the middle of a run ends it, and the cache is as before the call', async () => {
  const lm = hashModel({ vocab: 12 })
  const { ids } = await generateText(lm, { tokens: TOKENS, maxNewTokens: 20, speculate: 'off' })
  await using cache = new PrefixCache(lm)
  const stopping = new AbortController()
  let seen = 0
  const run = async () => {
    for await (const _piece of generate(lm, { tokens: TOKENS, cache, signal: stopping.signal, speculate: oracle(ids, 5) })) {
      if (++seen === 3) stopping.abort(new Error('enough'))
    }
  }
  await expect(run()).rejects.toThrow('enough')
  expect(seen).toBe(3)
  expect(cache.tokens.length).toBe(0)
  expect(lm.openCaches.size).toBe(1)
})

test('a processor that fails inside a run fails after the pieces before it', async () => {
  const lm = countingModel({ vocab: 16 })
  const failing = prefixProcessor('failing', (logits, { tokens }) => {
    if (tokens.length === TOKENS.length + 3) logits.fill(Number.NEGATIVE_INFINITY)
  })
  const seen: number[] = []
  const run = async () => {
    const options = { tokens: TOKENS, processors: [failing], speculate: oracle([6, 7, 8, 9, 10], 4) }
    for await (const { ids } of generate(lm, options)) seen.push(...ids)
  }
  await expect(run()).rejects.toMatchObject({ code: 'processor' })
  expect(seen).toEqual([6, 7, 8])
  expect(lm.openCaches.size).toBe(0)
})

test('a stop string that is completed inside a run ends the text and the ids there', async () => {
  const text = 'one two three four'
  const bytes = [...new TextEncoder().encode(text)]
  const lm = fakeModel({
    vocab: 259,
    tokenizer: byteTokenizer(),
    logits: (context) => oneHot(259, bytes[context.length - TOKENS.length] ?? 256),
  })
  await using cache = new PrefixCache(lm)
  const options = { tokens: TOKENS, stopStrings: ['thr'] }
  const drafted = await generateText(lm, { ...options, cache, speculate: oracle(bytes, 7) })
  expect(drafted.text).toBe('one two ')
  expect(drafted.finishReason).toBe('stop-string')
  expect(drafted.ids).toEqual((await generateText(lm, { ...options, speculate: 'off' })).ids)
  expect(cache.tokens.length).toBe(TOKENS.length + drafted.ids.length - 1)
})

test('chains on a recurrent model leave the states of plain decoding', async () => {
  const lm = hashModel({ vocab: 12, isRecurrent: true })
  const { ids } = await generateText(lm, { tokens: TOKENS, maxNewTokens: 40, speculate: 'off' })
  const wrong = ids.map((id, i) => (i % 3 === 2 ? (id + 1) % 12 : id))
  expect((await generateText(lm, { tokens: TOKENS, maxNewTokens: 40, speculate: oracle(wrong, 5) })).ids).toEqual(ids)
})

test('rows that are not verified are computed behind the nodes and leave no trace', async () => {
  const lm = hashModel({ vocab: 12 })
  const plain = await generateText(lm, { tokens: TOKENS, maxNewTokens: 10, speculate: 'off' })
  const results: number[] = []
  const drafter: Drafter = {
    name: 'window',
    begin: ({ cache }) => ({
      propose: () => ({ ...chain([1]), unverified: { tokens: Int32Array.of(4, 4, 5), parents: Int32Array.of(-1, 0, 2) } }),
      commit({ result, emitted, past }) {
        results.push(result.logits?.dims[0] ?? 0)
        expect(tokensIn(cache).length).toBe(past + emitted.length)
      },
    }),
  }
  const limited = { tokens: TOKENS, maxNewTokens: 10, speculate: drafter }
  expect((await generateText(lm, limited)).ids).toEqual(plain.ids)
  expect(results[0]).toBe(5)
})

test.each<[string, Proposal, RegExp]>([
  ['a parent that comes later', { tokens: Int32Array.of(1, 2), parents: Int32Array.of(1, -1) }, /parents\[0\]: found 1/],
  ['a missing parent', { tokens: Int32Array.of(1, 2), parents: Int32Array.of(-1) }, /found 1 parents, expected 2/],
  ['an id outside of the vocabulary', chain([1, 12]), /token id from 0 to 11/],
  ['equal siblings', { tokens: Int32Array.of(1, 1), parents: Int32Array.of(-1, -1) }, /siblings with different tokens/],
  ['more than there is room for', chain([1, 2, 3, 4, 5]), /depth 4, expected at most 3/],
])('%s is refused by name', async (_name, proposal, message) => {
  const lm = hashModel({ vocab: 12 })
  const run = generateText(lm, { tokens: TOKENS, maxNewTokens: 5, speculate: proposing(proposal) })
  await expect(run).rejects.toMatchObject({ code: 'draft', message: expect.stringMatching(message) })
  expect(lm.openCaches.size).toBe(0)
})

test('a tree is refused where rows cannot branch, and speculation where rows are not exact unless it is allowed', async () => {
  const tree = { tokens: Int32Array.of(1, 2), parents: Int32Array.of(-1, -1) }
  const recurrent = hashModel({ vocab: 12, isRecurrent: true })
  await expect(generateText(recurrent, { tokens: TOKENS, speculate: proposing(tree) })).rejects.toThrow(/tree visibility/)
  const inexact = hashModel({ vocab: 12, isExact: false })
  const options = { tokens: TOKENS, maxNewTokens: 5, speculate: proposing(chain([])) }
  expect(() => generate(inexact, options)).toThrow(/plan.exact is false/)
  expect((await generateText(inexact, { ...options, speculateInexactly: true })).ids.length).toBe(5)
  expect(() => generate(recurrent, { ...options, beams: { count: 2 } })).toThrow(/one or the other/)
})
