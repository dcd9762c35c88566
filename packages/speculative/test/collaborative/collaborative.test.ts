/** Combined models against a slow second implementation, and on everything that generates. */
import { generateBeams, generateText, generateTexts, PrefixCache, score } from '@foretoken/generation'
import { describe, expect, test } from 'vitest'
import { draftModel, joinedModel, lossyCascade, lossyContrastive, lossyProxyTuning } from '../../src/index.ts'
import { hashModel } from '../fakes/hash-model.ts'
import { watchedModel } from '../fakes/watched-model.ts'
import { slowCascade, slowContrast, slowly, slowProxy } from './slow-combinations.ts'

const large = hashModel({ vocab: 32, memory: 3 })
const small = hashModel({ vocab: 32, memory: 2 })
const tuned = hashModel({ vocab: 32, memory: 1 })
const prompt = [4, 9, 2]
const plainly = { speculate: 'off' as const, tokens: prompt, maxNewTokens: 40, stopTokens: [] }

test.each([
  [1.5, 0.1],
  [0.5, 0.1],
  [3, 0.02],
])(
  'contrastive decoding with extrapolation %d among tokens of %d of the best: the ids of the slow rule',
  async (extrapolation, plausibility) => {
    const { ids } = await generateText(lossyContrastive({ large, small, extrapolation, plausibility }), plainly)
    expect(ids).toEqual(await slowly(slowContrast(large, small, extrapolation, plausibility), prompt, 40))
  },
)

test('an extrapolation of 1 is the large model, one of 0 among all tokens the small one', async () => {
  const one = await generateText(lossyContrastive({ large, small, extrapolation: 1 }), plainly)
  expect(one.ids).toEqual((await generateText(large, plainly)).ids)
  const none = await generateText(lossyContrastive({ large, small, extrapolation: 0, plausibility: 1e-12 }), plainly)
  expect(none.ids).toEqual((await generateText(small, plainly)).ids)
})

test.each([1, 0.4, -1])('proxy tuning with strength %d: the ids of the slow rule', async (strength) => {
  const { ids } = await generateText(lossyProxyTuning({ large, tuned, untuned: small, strength }), plainly)
  expect(ids).toEqual(await slowly(slowProxy(large, tuned, small, strength), prompt, 40))
})

describe('a cascade', () => {
  test('asks the large model where the small one is unsure, and reports how often', async () => {
    for (const below of [0.3, 0.6]) {
      let unsure = 0
      const count = (isUnsure: boolean) => {
        if (isUnsure) unsure++
        return isUnsure
      }
      const byConfidence = lossyCascade({ small, large, consult: { kind: 'confidence', below } })
      const expected = await slowly(
        slowCascade(small, large, ([best = 0]) => count(best < below)),
        prompt,
        40,
      )
      expect((await generateText(byConfidence, plainly)).ids).toEqual(expected)
      expect(byConfidence.report()).toEqual({ tokens: 40, consulted: unsure })
      expect(unsure).toBeGreaterThan(0)
      const byMargin = lossyCascade({ small, large, consult: { kind: 'margin', below } })
      expect((await generateText(byMargin, plainly)).ids).toEqual(
        await slowly(
          slowCascade(small, large, ([best = 0, second = 0]) => best - second < below),
          prompt,
          40,
        ),
      )
    }
  })

  test('that never asks is the small model, one that always asks the large one', async () => {
    expect((await generateText(lossyCascade({ small, large, consult: { kind: 'never' } }), plainly)).ids).toEqual(
      (await generateText(small, plainly)).ids,
    )
    expect((await generateText(lossyCascade({ small, large, consult: { kind: 'always' } }), plainly)).ids).toEqual(
      (await generateText(large, plainly)).ids,
    )
  })

  test('lets the large model read what it has not read, once, in one step', async () => {
    const own = hashModel({ vocab: 32, memory: 3 })
    const cascade = lossyCascade({ small, large: own, consult: { kind: 'confidence', below: 0.4 } })
    const { ids } = await generateText(cascade, plainly)
    const { consulted } = cascade.report()
    expect(own.steps.length).toBe(consulted)
    expect(own.steps.reduce((sum, rows) => sum + rows, 0)).toBeLessThanOrEqual(prompt.length + ids.length)
  })

  test('goes on in a prefix cache and in a batch, and refuses drafts and trees', async () => {
    const cascade = lossyCascade({ small, large })
    const whole = await generateText(cascade, plainly)
    await using cache = new PrefixCache(cascade)
    await generateText(cascade, { ...plainly, cache, maxNewTokens: 15 })
    const tokens = [...prompt, ...whole.ids.slice(0, 15)]
    expect((await generateText(cascade, { ...plainly, cache, tokens, maxNewTokens: 25 })).ids).toEqual(whole.ids.slice(15))
    const [first] = await generateTexts(cascade, [{ tokens: prompt }, { tokens: [7, 7] }], { maxNewTokens: 40, stopTokens: [] })
    expect(first?.ids).toEqual(whole.ids)
    await expect(async () => generateText(cascade, { ...plainly, speculate: draftModel(small) })).rejects.toMatchObject({
      code: 'argument',
    })
    await using own = cascade.createCache()
    const tree = { kind: 'tree', parents: Int32Array.of(-1, -1) } as const
    const step = { tokens: Int32Array.of(1, 2), visibility: tree, cache: own, want: { logits: 'last' } } as const
    await expect(cascade.forward(step)).rejects.toMatchObject({ code: 'argument' })
  })
})

describe('a joined model', () => {
  const contrastive = lossyContrastive({ large, small })

  test('has drafts that are lossless with respect to it, sampled as well, and beams and scores of its own', async () => {
    for (const sampling of [{ kind: 'greedy' }, { kind: 'sample', temperature: 0.8, topP: 0.9, seed: 3 }] as const) {
      const plain = await generateText(contrastive, { ...plainly, sampling })
      const drafted = await generateText(contrastive, { ...plainly, sampling, speculate: draftModel(contrastive, { leastConfidence: 0 }) })
      expect(drafted.ids).toEqual(plain.ids)
      expect(drafted.statistics.speculation?.accepted).toBe(drafted.statistics.speculation?.drafted)
    }
    const greedy = await generateText(contrastive, plainly)
    const [beam] = await generateBeams(contrastive, { tokens: prompt, maxNewTokens: 40, stopTokens: [], beams: { count: 1 } })
    expect(beam?.ids).toEqual(greedy.ids)
    const scored = await score(contrastive, { tokens: [...prompt, ...greedy.ids], rows: 7 })
    for (const [i, value] of greedy.logProbabilities.entries()) {
      expect(scored.logProbabilities[prompt.length - 1 + i]).toBeCloseTo(value, 9)
    }
  })

  test('keeps the caches of its models in step, and closes them', async () => {
    const watched = [watchedModel(hashModel({ vocab: 32, memory: 3 })), watchedModel(hashModel({ vocab: 32, memory: 2 }))]
    const [a, b] = watched
    if (a === undefined || b === undefined) throw new Error('two models')
    const lm = lossyContrastive({ large: a, small: b })
    const cache = lm.createCache()
    const { rows } = await lm.forward({ tokens: Int32Array.of(1, 2, 3, 4), cache, want: {} })
    cache.append(rows, [0, 1, 2])
    cache.truncate(2)
    const fork = cache.fork()
    expect([cache.length, fork.length, cache.nextPosition, cache.layers.length]).toEqual([2, 2, 2, 2])
    expect([...cache.view(1).keys]).toEqual([1, 2])
    expect(fork.snapshot().rows.length).toBe(2)
    expect(() => cache.view(2)).toThrow(expect.objectContaining({ code: 'argument' }))
    await fork[Symbol.asyncDispose]()
    await cache[Symbol.asyncDispose]()
    expect([a.open.size, b.open.size]).toEqual([0, 0])
  })

  test('refuses models of other vocabularies, caches of others, and outputs that it has not', async () => {
    expect(() => lossyContrastive({ large, small: hashModel({ vocab: 31 }) })).toThrow(expect.objectContaining({ code: 'vocabulary' }))
    expect(() => joinedModel([], 'none', () => undefined)).toThrow(expect.objectContaining({ code: 'argument' }))
    for (const wrong of [{ extrapolation: -1 }, { plausibility: 0 }, { plausibility: Number.NaN }]) {
      expect(() => lossyContrastive({ large, small, ...wrong })).toThrow(expect.objectContaining({ code: 'argument' }))
    }
    expect(() => lossyCascade({ small, large, consult: { kind: 'margin', below: 2 } })).toThrow(
      expect.objectContaining({ code: 'argument' }),
    )
    const tokens = Int32Array.of(1)
    await using own = contrastive.createCache()
    await using other = large.createCache()
    await expect(contrastive.forward({ tokens, cache: other, want: {} })).rejects.toMatchObject({ code: 'argument' })
    await expect(contrastive.forward({ tokens, cache: own, want: { topK: 2 } })).rejects.toMatchObject({ code: 'argument' })
    expect(own.length).toBe(0)
  })
})
