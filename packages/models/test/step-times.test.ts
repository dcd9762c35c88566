import { createKvCache } from '@foretoken/kv-cache'
import { expect, test } from 'vitest'
import { type CausalLM, type DecodeStep, measureStepTimes, type StepResult, stepTimeTable } from '../src/index.ts'
import { wereDisturbed } from '../src/step-times.ts'

/** A model whose steps do nothing but let a clock advance. */
function timedModel(stepMs: (context: number, rows: number, run: number) => number, maxPositions = 4096) {
  let now = 0
  let runs = 0
  const config = {
    modelType: 'timed',
    layers: 1,
    hidden: 4,
    heads: 1,
    kvHeads: 1,
    headDim: 4,
    vocab: 16,
    maxPositions,
    tiedEmbeddings: true,
  }
  const lm: CausalLM = {
    config,
    capabilities: { treeVisibility: true, embeddingsInput: true, hiddenStates: true, attentionScores: true, topK: true },
    plan: { runtime: 'none', provider: 'none', threads: 1, formats: {}, exact: true, notes: [] },
    generationDefaults: { endOfText: [] },
    createCache: () => createKvCache([{ kvHeads: 1, keyDim: 4, valueDim: 4 }]),
    forward({ tokens, cache }: DecodeStep): Promise<StepResult> {
      now += stepMs(cache.length, tokens.length, runs++)
      return Promise.resolve({
        rows: { steps: tokens.length, positions: new Int32Array(tokens.length), past: 0, layers: [] },
        elapsedMs: 0,
      })
    },
    forwardBatch: () => Promise.resolve([]),
    maxSteps: (cache) => 256 - (cache.length % 256),
    memory: () => ({ weightsBytes: 0, graphBytes: 0, cacheBytes: 0 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return { lm, clock: () => now, runs: () => runs }
}

test('a time is the median of all steps of its size but the first', async () => {
  const disturbed = [0, 3]
  const { lm, clock } = timedModel((context, rows, run) => 10 + rows + context / 100 + (disturbed.includes(run) ? 500 : 0))
  const times = await measureStepTimes(lm, { rows: [4, 1], contexts: [100, 0], budgetMs: 1e6, clock })
  expect(times).toEqual([
    { context: 0, rows: 1, stepMs: 11, samples: 5 },
    { context: 0, rows: 4, stepMs: 14, samples: 5 },
    { context: 100, rows: 1, stepMs: 12, samples: 5 },
    { context: 100, rows: 4, stepMs: 15, samples: 5 },
  ])
})

test('a spent budget ends the rounds, after a step of each size at the shortest context', async () => {
  const { lm, clock, runs } = timedModel(() => 100)
  const times = await measureStepTimes(lm, { rows: [1, 2, 4], contexts: [16, 64], budgetMs: 150, clock })
  expect(times.map(({ context, rows }) => [context, rows])).toEqual([
    [16, 1],
    [16, 2],
    [16, 4],
  ])
  expect(runs()).toBe(3)
})

test('contexts beyond the positions of the model are left out, and rows that do not fit behind them', async () => {
  const { lm, clock } = timedModel(() => 1, 40)
  const times = await measureStepTimes(lm, { rows: [1, 32], contexts: [16, 64], budgetMs: 10, clock })
  expect([...new Set(times.map(({ context, rows }) => `${context} ${rows}`))]).toEqual(['16 1'])
})

test('sizes that are no whole numbers are refused', async () => {
  const { lm } = timedModel(() => 1)
  await expect(measureStepTimes(lm, { rows: [1.5] })).rejects.toThrow('rows: found 1.5')
  await expect(measureStepTimes(lm, { contexts: [-1] })).rejects.toThrow('contexts: found -1')
})

// 8 + rows + context / 100, at four points of the plane
const PLANE = [
  { context: 0, rows: 2, stepMs: 10, samples: 1 },
  { context: 0, rows: 8, stepMs: 16, samples: 1 },
  { context: 1000, rows: 2, stepMs: 20, samples: 1 },
  { context: 1000, rows: 8, stepMs: 26, samples: 1 },
]

test('estimates lie on straight lines between and beyond what was measured, and never below all of it', () => {
  const table = stepTimeTable(PLANE)
  expect(table.estimateMs(0, 2)).toBeCloseTo(10)
  expect(table.estimateMs(500, 5)).toBeCloseTo(8 + 5 + 5)
  expect(table.estimateMs(2000, 16)).toBeCloseTo(8 + 16 + 20)
  expect(table.estimateMs(0, 1)).toBeCloseTo(10)
  expect(stepTimeTable([{ context: 16, rows: 1, stepMs: 7, samples: 3 }]).estimateMs(2048, 8)).toBe(7)
})

test('observed steps move the nearest size towards what they took, and one alone by a tenth at most', () => {
  const table = stepTimeTable(PLANE)
  table.observe(0, 2, 1000)
  expect(table.estimateMs(0, 2)).toBeCloseTo(11)
  expect(table.times()[1]).toEqual(PLANE[1])
  for (let step = 0; step < 200; step++) table.observe(0, 2, 30)
  expect(table.estimateMs(0, 2)).toBeGreaterThan(29)
  expect(table.times()[0]?.samples).toBe(202)
})

test('an empty table knows nothing before the first step that it observes', () => {
  const table = stepTimeTable()
  expect(table.estimateMs(16, 1)).toBeNaN()
  table.observe(16, 1, 9)
  expect(table.estimateMs(100, 4)).toBe(9)
})

test('one step that took much longer than a step of more rows was disturbed; a median of several is what it is', () => {
  expect(wereDisturbed(PLANE)).toBe(false)
  const slow = { context: 0, rows: 1, stepMs: 60, samples: 1 }
  expect(wereDisturbed([...PLANE, slow])).toBe(true)
  expect(wereDisturbed([...PLANE, { ...slow, samples: 4 }])).toBe(false)
  expect(wereDisturbed([...PLANE, { ...slow, rows: 32 }])).toBe(false)
})
