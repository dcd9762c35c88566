/** What each drafter proposes, by hand, and that none of them changes an output. */
import { type DraftContext, type Drafter, generateText, prefixProcessor, type SingleGenerationOptions } from '@foretoken/generation'
import { describe, expect, test } from 'vitest'
import { autoDrafter, ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '../../src/index.ts'
import { hashModel } from '../fakes/hash-model.ts'

// further rows cost next to nothing, so that budgets draft
const STEP_TIMES = [1, 16].map((rows) => ({ context: 16, rows, stepMs: 10 + rows / 16, samples: 1 }))
const lm = hashModel({ vocab: 32, memory: 1, stepTimes: STEP_TIMES })
const contextOf = (prompt: readonly number[]): DraftContext => ({
  lm,
  cache: lm.createCache(),
  prompt: Int32Array.from(prompt),
  sampling: { kind: 'greedy' },
  sequence: 0,
  stopTokens: new Set(),
  signal: undefined,
  clock: () => 0,
})

/** The proposal after these tokens, as pairs of parent and token. */
async function proposed(drafter: Drafter, tokens: readonly number[], limits = { most: 16, deepest: 16 }): Promise<[number, number][]> {
  const session = drafter.begin(contextOf(tokens))
  const proposal = await session.propose({ tokens: Int32Array.from(tokens), ...limits })
  return Array.from(proposal?.tokens ?? [], (token, i) => [proposal?.parents[i] ?? -1, token])
}

const chain = (...ids: number[]) => ids.map((id, i): [number, number] => [i - 1, id])

test('prompt lookup prefers the longest match, of equals the latest, and is silent without one', async () => {
  expect(await proposed(promptLookup({ draftTokens: 2 }), [1, 2, 3, 4, 9, 2, 3, 5, 1, 2, 3])).toEqual(chain(4, 9))
  expect(await proposed(promptLookup({ draftTokens: 2 }), [2, 3, 4, 7, 2, 3, 5, 8, 2, 3])).toEqual(chain(5, 8))
  expect(await proposed(promptLookup(), [1, 2, 3, 4])).toEqual([])
  expect(await proposed(promptLookup({ draftTokens: 8 }), [1, 2, 3, 4, 1, 2], { most: 5, deepest: 1 })).toEqual(chain(3))
})

test('a suffix draft grows with its match, and takes the longer one from texts of its own', async () => {
  expect(await proposed(suffixDrafter({ shortest: 1 }), [1, 2, 3, 4, 5, 1])).toEqual(chain(2, 3))
  const drafter = suffixDrafter({ texts: [[7, 8, 9, 10, 11, 12, 13, 14, 15, 16]], draftTokens: 4 })
  expect(await proposed(drafter, [8, 9, 1, 2, 7, 8, 9])).toEqual(chain(10, 11, 12, 13))
  // at the end of the text the copy goes on with itself
  expect(await proposed(drafter, [1, 2, 3, 1, 2])).toEqual(chain(3, 1, 2, 3))
})

test('the n-gram pool proposes the latest different runs after a token as branches', async () => {
  expect(await proposed(ngramPool({ runTokens: 2 }), [5, 1, 2, 5, 1, 3, 5, 4, 4, 5])).toEqual([
    [-1, 4],
    [0, 4],
    [-1, 1],
    [2, 3],
    [2, 2],
  ])
})

test('token recycling grows its tree likeliest node first, through what followed, and skips what it does not know', async () => {
  // after 5: 1 then 7; after 1: 2; after 7: 9; after 2 and 9: 5
  const tree = await proposed(tokenRecycling({ nodes: 5 }), [5, 7, 9, 5, 1, 2, 5])
  expect(tree).toEqual([
    [-1, 1],
    [0, 2],
    [-1, 7],
    [1, 5],
    [2, 9],
  ])
  expect(await proposed(tokenRecycling(), [4])).toEqual([])
})

test('token recycling is saved and loaded, forgets unless it is told to keep, and refuses what is of another model', async () => {
  const drafter = tokenRecycling({ width: 2 })
  await generateText(lm, { tokens: [1, 2], maxNewTokens: 20, speculate: drafter })
  const saved = drafter.save()
  const known = Array.from(saved?.followers ?? []).findIndex((id) => id >= 0) >> 1
  expect(await proposed(tokenRecycling({ width: 2 }), [known])).toEqual([])
  if (saved === undefined) throw new Error('nothing was saved')
  expect((await proposed(tokenRecycling({ width: 2, adjacency: saved }), [known])).length).toBeGreaterThan(0)
  expect(await proposed(drafter, [known])).toEqual([])
  const keeping = tokenRecycling({ width: 2, keep: true })
  await generateText(lm, { tokens: [1, 2], maxNewTokens: 20, speculate: keeping })
  expect((await proposed(keeping, [known])).length).toBeGreaterThan(0)
  for (const wrong of [
    { ...saved, vocab: 31 },
    { ...saved, width: 3 },
    { ...saved, followers: saved.followers.map(() => 32) },
  ]) {
    await expect(proposed(tokenRecycling({ width: 2, adjacency: wrong }), [1])).rejects.toMatchObject({ code: 'argument' })
  }
})

const parity = prefixProcessor('parity', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: Record<string, SingleGenerationOptions> = {
  greedy: {},
  'temperature 0.7': { sampling: { kind: 'sample', temperature: 0.7, seed: 1 } },
  'temperature 1.2, top-p 0.9': { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 2 } },
  'repetition penalty 1.1 and a constraint': { repetitionPenalty: 1.1, processors: [parity] },
}
const DRAFTERS: Record<string, () => Drafter> = {
  'prompt lookup': () => promptLookup({ shortest: 1 }),
  'suffix automaton': () => suffixDrafter({ shortest: 1 }),
  'n-gram pool': () => ngramPool(),
  'token recycling': () => tokenRecycling(),
  'suffix automaton with a budget': () => withBudget(suffixDrafter({ shortest: 1 })),
  'token recycling with a budget': () => withBudget(tokenRecycling()),
  auto: () => autoDrafter(),
  'all in one tree': () => withBudget([suffixDrafter({ shortest: 1 }), tokenRecycling(), ngramPool(), promptLookup()]),
}

describe.each(Object.entries(DRAFTERS))('%s', (_name, create) => {
  test.each(Object.entries(OPTIONS))('%s: the ids of plain decoding', async (_options, options) => {
    const drafter = create()
    let accepted = 0
    for (let first = 1; first <= 4; first++) {
      const all = { tokens: [first, 2, 3, first], maxNewTokens: 60, clock: () => 0, ...options }
      const plain = await generateText(lm, { ...all, speculate: 'off' })
      const drafted = await generateText(lm, { ...all, speculate: drafter })
      expect(drafted.ids).toEqual(plain.ids)
      expect(drafted.logProbabilities).toEqual(plain.logProbabilities)
      accepted += drafted.statistics.speculation?.accepted ?? 0
    }
    if (options.sampling === undefined) expect(accepted).toBeGreaterThan(0)
  })
})
