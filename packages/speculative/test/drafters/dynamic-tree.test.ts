import { generateText, prefixProcessor, type SingleGenerationOptions } from '@foretoken/generation'
import { describe, expect, test } from 'vitest'
import { type DynamicTreeOptions, dynamicTree } from '../../src/drafters/dynamic-tree.ts'
import { hashModel } from '../fakes/hash-model.ts'
import { watchedModel } from '../fakes/watched-model.ts'

const parity = prefixProcessor('parity', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: Record<string, SingleGenerationOptions> = {
  greedy: {},
  'temperature 0.7': { sampling: { kind: 'sample', temperature: 0.7, seed: 1 } },
  'temperature 1.2, top-p 0.9': { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 2 } },
  'repetition penalty 1.1 and a constraint': { repetitionPenalty: 1.1, processors: [parity], sampling: { kind: 'sample', seed: 3 } },
}
const GROWTHS: Record<string, DynamicTreeOptions> = {
  heap: { growth: 'heap', threshold: 0.02, nodes: 10 },
  threshold: { growth: 'threshold', threshold: 0.02, nodes: 10 },
  'independent draws': { draws: 'independent', threshold: 0.02, nodes: 10 },
}

describe.each(Object.entries(GROWTHS))('a tree by %s', (_growth, growth) => {
  test.each(Object.entries(OPTIONS))('%s: the ids of plain decoding, whatever the draft model is', async (_options, options) => {
    const lm = hashModel({ vocab: 32, memory: 2 })
    for (const memory of [1, 2]) {
      const all = { speculate: 'off' as const, tokens: [1, 2, 3], maxNewTokens: 50, ...options }
      const draft = watchedModel(hashModel({ vocab: 32, memory }))
      const drafted = await generateText(lm, { ...all, speculate: dynamicTree(draft, growth) })
      expect(drafted.ids).toEqual((await generateText(lm, { ...all, speculate: 'off' })).ids)
      expect(drafted.statistics.speculation?.drafted).toBeGreaterThan(0)
      if (memory === 2 && growth.draws === undefined) expect(drafted.statistics.speculation?.tokensPerStep).toBeGreaterThan(2)
      expect(draft.open.size).toBe(0)
    }
  })
})

test('a draft model that is the model itself has a child accepted at every place', async () => {
  const lm = hashModel({ vocab: 32, memory: 3 })
  for (const sampling of [{ kind: 'greedy' }, { kind: 'sample', temperature: 0.9, topP: 0.9, seed: 5 }] as const) {
    const speculate = dynamicTree(lm, { threshold: 0.03, nodes: 12 })
    const { statistics } = await generateText(lm, { tokens: [1, 2], maxNewTokens: 60, sampling, speculate })
    expect(statistics.speculation?.acceptedByDepth[0]).toBe(statistics.speculation?.testedByDepth[0])
  }
})

test('independent draws say what they were drawn from: the draft model without the earlier siblings', async () => {
  const lm = hashModel({ vocab: 6, memory: 1 })
  const drafter = dynamicTree(lm, { draws: 'independent', threshold: 0.01, nodes: 8, depth: 2 })
  const prompt = Int32Array.of(1, 2)
  await using cache = lm.createCache()
  const sampling = { kind: 'sample', temperature: 1, topK: Number.POSITIVE_INFINITY, topP: 1, minP: 0, typicalP: 1, seed: 4 } as const
  const session = drafter.begin({ lm, cache, prompt, sampling, sequence: 0, stopTokens: new Set(), signal: undefined, clock: () => 0 })
  const proposal = await session.propose({ tokens: prompt, most: 8, deepest: 2 })
  await session.end?.()
  expect(proposal?.tokens.length).toBeGreaterThan(3)
  for (const [node, source] of (proposal?.sources ?? []).entries()) {
    const parent = proposal?.parents[node] ?? -1
    const before = parent < 0 ? 2 : (proposal?.tokens[parent] ?? 0)
    await using empty = lm.createCache()
    const { logits } = await lm.forward({ tokens: Int32Array.of(before), cache: empty, want: { logits: 'last' } })
    const siblings = [...(proposal?.tokens ?? [])].filter((_, other) => other < node && proposal?.parents[other] === parent)
    const weights = Array.from(logits?.data ?? [], (logit, token) => (siblings.includes(token) ? 0 : Math.exp(logit)))
    const sum = weights.reduce((total, weight) => total + weight, 0)
    if (source.kind !== 'drawn') throw new Error('not drawn')
    const { tokens, probabilities } = source.distribution
    expect([...tokens]).toEqual(weights.flatMap((weight, token) => (weight > 0 ? [token] : [])))
    for (const [i, token] of tokens.entries()) expect(probabilities[i]).toBeCloseTo((weights[token] ?? 0) / sum, 10)
  }
})

test('without tree visibility a chain is drafted, and wrong options are refused', async () => {
  const lm = hashModel({ vocab: 32, treeVisibility: false })
  const all = { speculate: 'off' as const, tokens: [1, 2], maxNewTokens: 30 }
  const drafted = await generateText(lm, { ...all, speculate: dynamicTree(lm, { threshold: 0.01 }) })
  expect(drafted.ids).toEqual((await generateText(lm, { ...all, speculate: 'off' })).ids)
  for (const wrong of [{ nodes: 0 }, { threshold: -1 }, { children: 1.5 }]) {
    expect(() => dynamicTree(lm, wrong)).toThrow(expect.objectContaining({ code: 'argument' }))
  }
})
