import { createKvCache, type KvCache } from '@foretoken/kv-cache'
import { expect, test } from 'vitest'
import type { DecodeStep, StepResult } from '../../src/index.ts'
import { type StepOutcome, StepQueue } from '../../src/step/step-queue.ts'

function stepOf(cache: KvCache, token = 1): DecodeStep {
  return { tokens: Int32Array.of(token), cache, want: {} }
}

function resultOf({ tokens }: DecodeStep): StepResult {
  return { elapsedMs: tokens[0] ?? 0, rows: { steps: 1, positions: Int32Array.of(0), layers: [] } }
}

/** A queue whose runs take a turn of the event loop, and the tokens of the steps of each run. */
function recorded(outcomeOf: (step: DecodeStep) => StepOutcome = (step) => ({ result: resultOf(step) })) {
  const runs: number[][] = []
  const queue = new StepQueue(async (steps) => {
    runs.push(steps.map(({ tokens }) => tokens[0] ?? 0))
    await new Promise((resolve) => setTimeout(resolve, 1))
    return steps.map(outcomeOf)
  })
  return { queue, runs }
}

test('steps with one key that wait together run together, others in their order', async () => {
  const { queue, runs } = recorded()
  const cache = () => createKvCache([])
  const keys = ['a', undefined, 'a', 'b', 'a', undefined, 'b']
  const results = await Promise.all(keys.map((key, index) => queue.add(stepOf(cache(), index), key)))
  expect(runs).toEqual([[0, 2, 4], [1], [3, 6], [5]])
  expect(results.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('loops that start at different times fall into step', async () => {
  const { queue, runs } = recorded()
  const loop = async (delay: number) => {
    for (let hop = 0; hop < delay; hop++) await undefined
    const cache = createKvCache([])
    for (let step = 0; step < 5; step++) {
      await queue.add(stepOf(cache), 'a')
      for (let hop = 0; hop < delay; hop++) await undefined
    }
  }
  await Promise.all([loop(0), loop(7), loop(30)])
  expect(runs.length).toBe(6)
  expect(runs.slice(1, 5).map(({ length }) => length)).toEqual([3, 3, 3, 3])
})

test('a step does not overtake one of the same cache', async () => {
  const { queue, runs } = recorded()
  const [one, two] = [createKvCache([]), createKvCache([])]
  await Promise.all([
    queue.add(stepOf(one, 1), 'a'),
    queue.add(stepOf(two, 2), undefined),
    queue.add(stepOf(two, 3), 'a'),
    queue.add(stepOf(one, 4), 'a'),
  ])
  expect(runs).toEqual([[1], [2], [3, 4]])
})

test('a step that fails fails alone; a run that fails does so for all of its steps, and the next goes on', async () => {
  const { queue } = recorded((step) => (step.tokens[0] === 2 ? { error: new Error('two') } : { result: resultOf(step) }))
  const settled = await Promise.allSettled([1, 2, 3].map((token) => queue.add(stepOf(createKvCache([]), token), 'a')))
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])

  let failures = 0
  const failing = new StepQueue(async (steps) => {
    if (failures++ === 0) throw new Error('all')
    return steps.map((step) => ({ result: resultOf(step) }))
  })
  const first = await Promise.allSettled([1, 2].map((token) => failing.add(stepOf(createKvCache([]), token), 'a')))
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(failing.add(stepOf(createKvCache([]), 3), 'a')).resolves.toMatchObject({ elapsedMs: 3 })
})
