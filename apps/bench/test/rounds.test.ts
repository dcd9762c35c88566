import { expect, test } from 'vitest'
import type { Job, JobReport } from '../src/peers/job.ts'
import { runCourse, type Schedule, samplesOf } from '../src/rounds.ts'
import type { Side } from '../src/sides.ts'

const SCHEDULE: Schedule = {
  rounds: [
    [4, 8],
    [4, 8],
  ],
  repeats: 1,
  newTokens: 3,
  textTokens: 5,
  limitMs: Number.POSITIVE_INFINITY,
}
const SIDES: readonly Side[] = ['a', 'b'].map((name) => ({ name, source: { kind: 'node-llama-cpp', file: name } }))

function report({ task }: Job): JobReport {
  if (task.kind === 'perplexity') return { readyAt: 0, processorMs: 0, result: { kind: 'perplexity', negativeLogLikelihood: Math.log(7) } }
  const continuations = task.prompts.map(({ length }) => ({
    promptTokens: length,
    firstTokenAt: 150,
    prefillMs: 50,
    stepMs: [10, 30],
    peakBytes: 2e6,
  }))
  return { readyAt: 100, processorMs: 0, result: { kind: 'speed', continuations } }
}

async function course(
  changes: { schedule?: Partial<Schedule>; sides?: readonly Side[]; run?: (job: Job) => JobReport; clock?: () => number } = {},
) {
  const order: string[] = []
  const run = async (job: Job) => {
    order.push(`${job.task.kind} ${job.source.kind === 'node-llama-cpp' ? job.source.file : ''}`)
    return { report: (changes.run ?? report)(job), startedAt: 20, otherShare: 0 }
  }
  const done = await runCourse({
    sides: changes.sides ?? SIDES,
    schedule: { ...SCHEDULE, ...changes.schedule },
    threads: 1,
    text: [1, 2, 3],
    run,
    say: () => {},
    clock: changes.clock ?? (() => 0),
    calibrate: () => 1,
  })
  return { order, ...done }
}

test('the sides take turns', async () => {
  const { order } = await course()
  expect(order).toEqual(['perplexity a', 'perplexity b', 'speed a', 'speed b', 'speed a', 'speed b'])
})

test('perplexity is the exponential of the mean, over the tokens of the text', async () => {
  const { samples } = await course()
  const found = samples.filter(({ measure }) => measure === 'perplexity')
  expect(found.map(({ side, context }) => [side, context])).toEqual([
    ['a', 5],
    ['b', 5],
  ])
  expect(found[0]?.value).toBeCloseTo(7, 12)
})

test('a side that fails is named with its reason and not started again', async () => {
  const { order, failed } = await course({
    run: (job) => {
      if (job.source.kind === 'node-llama-cpp' && job.source.file === 'a') throw new Error('no such file')
      return report(job)
    },
  })
  expect(failed).toEqual([{ name: 'a', reason: 'no such file' }])
  expect(order).toEqual(['perplexity a', 'perplexity b', 'speed b', 'speed b'])
})

test('a round that would end after the limit is not begun', async () => {
  let now = 0
  const { rounds } = await course({ schedule: { limitMs: 35 }, clock: () => (now += 10) })
  expect(rounds).toBe(1)
})

test('a side of which only the start counts gets the shortest prompt and no text', async () => {
  const lengths: number[] = []
  const sides: readonly Side[] = [{ name: 'a', source: { kind: 'node-llama-cpp', file: 'a' }, isStartOnly: true }]
  const { order } = await course({
    sides,
    run: (job) => {
      if (job.task.kind === 'speed') lengths.push(...job.task.prompts.map((prompt) => prompt.length))
      return report(job)
    },
  })
  expect(order).toEqual(['speed a', 'speed a'])
  expect(lengths).toEqual([4, 4])
})

test('times count from the start of the process, rates from the call', () => {
  const job: Job = {
    source: { kind: 'node-llama-cpp', file: 'a' },
    threads: 1,
    positions: 16,
    task: {
      kind: 'speed',
      prompts: [
        [1, 2],
        [1, 2, 3, 4, 5],
      ],
      newTokens: 3,
    },
  }
  const samples = samplesOf('a', 0, 20, report(job)).map(({ measure, context, value }) => [measure, context, value])
  expect(samples).toEqual([
    ['ready', 0, 80],
    ['first token', 2, 130],
    ['peak memory', 2, 2],
    ['peak memory', 5, 2],
    ['prefill', 5, 100],
    ['decode', 2, 20],
    ['decode', 5, 20],
  ])
})
