import { expect, test } from 'vitest'
import type { Visit } from '../../src/web/visit.ts'
import { runWebCourse, samplesOfVisit, type WebCourseSettings, type WebSchedule } from '../../src/web/web-course.ts'
import type { WebTask } from '../../src/web/web-job.ts'
import type { WebSide } from '../../src/web/web-sides.ts'

const SCHEDULE: WebSchedule = { contexts: [16, 512], rounds: 3, longest: 2048, newTokens: 4, textTokens: 3, limitMs: 1000 }
const ours: WebSide = { name: 'foretoken', source: { kind: 'foretoken', file: '/a', format: 'auto' } }
const variants: WebSide[] = ['quick', 'slow', 'good with prompts'].map((name) => ({
  name,
  source: { kind: 'wllama', file: '/b', cacheType: 'f32' },
}))
const STEP_MS = new Map([
  ['foretoken', 10],
  ['quick', 20],
  ['slow', 40],
  ['good with prompts', 30],
])

interface Made {
  readonly side: string
  readonly task: WebTask
}

function course(change: Partial<WebCourseSettings> = {}) {
  const visits: Made[] = []
  let now = 0
  const run = runWebCourse({
    sides: [ours, ...variants],
    isVariant: ({ source }) => source.kind === 'wllama',
    schedule: SCHEDULE,
    text: [1, 2, 3, 4],
    prompt: (length, index) => ({ text: `prompt ${index}`, tokens: new Array<number>(length).fill(index) }),
    async visit(side, task): Promise<Visit> {
      visits.push({ side: side.name, task })
      now += 10
      if (task.kind === 'perplexity') return { readyMs: 1, result: { kind: 'perplexity', negativeLogLikelihood: Math.log(50) } }
      const step = STEP_MS.get(side.name) ?? 0
      const prefillMs = side.name === 'good with prompts' ? 100 : 200
      const continuations = task.prompts.map(({ tokens }) => ({ promptTokens: tokens.length, prefillMs, stepMs: [step, step] }))
      return { readyMs: 1, result: { kind: 'speed', continuations } }
    },
    perplexityOf: async () => 51,
    say: () => {},
    clock: () => now,
    calibrate: () => 1,
    ...change,
  })
  return { run, visits }
}

function isSpeed(made: Made): made is Made & { readonly task: Extract<WebTask, { kind: 'speed' }> } {
  return made.task.kind === 'speed'
}

test('variants that were best in nothing are left out after the first round', async () => {
  const { run, visits } = course()
  await run
  const long = visits.filter(isSpeed).filter(({ task }) => task.prompts.length === 2)
  const times = (side: string) => long.filter((each) => each.side === side).length
  expect(['foretoken', 'quick', 'slow', 'good with prompts'].map(times)).toEqual([3, 3, 1, 3])
})

test('the longest prompt comes last and once', async () => {
  const { run, visits } = course()
  const { rounds } = await run
  const lengths = visits.filter(isSpeed).map(({ task }) => task.prompts.map(({ tokens }) => tokens.length).join())
  expect(lengths.filter((each) => each === '2048')).toHaveLength(3)
  expect(lengths.slice(-3)).toEqual(['2048', '2048', '2048'])
  expect(rounds).toBe(4)
})

test('no prompt is given to a side twice, and those of a round are the same for all', async () => {
  const { run, visits } = course()
  await run
  for (const side of ['foretoken', 'quick']) {
    const given = visits.filter(isSpeed).flatMap((each) => (each.side === side ? each.task.prompts.map(({ text }) => text) : []))
    expect(new Set(given).size).toBe(given.length)
  }
  const round = visits.filter(isSpeed).filter(({ task }) => task.prompts.length === 2)
  expect(round[1]?.task.prompts).toEqual(round[0]?.task.prompts)
})

test('a side that fails is named once and not visited again', async () => {
  const seen: string[] = []
  const { run } = course({
    async visit(side) {
      seen.push(side.name)
      throw new Error('no wasm')
    },
  })
  const { failed, samples } = await run
  expect(failed.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([ours, ...variants].map(({ name }) => `${name}: no wasm`))
  expect(seen).toHaveLength(4)
  expect(samples).toEqual([])
})

test('a round that would end too late is not begun, and the longest prompt is still read', async () => {
  const { run, visits } = course({ schedule: { ...SCHEDULE, limitMs: 100 } })
  const { rounds } = await run
  expect(rounds).toBe(2)
  expect(visits.filter(isSpeed).some(({ task }) => task.prompts.length === 2)).toBe(true)
})

test('a perplexity is that of the page, or of llama.cpp where the side tells none', async () => {
  const { samples } = await course().run
  const perplexities = samples.filter(({ measure }) => measure === 'perplexity').map(({ side, value }) => [side, Math.round(value)])
  expect(perplexities).toEqual([
    ['foretoken', 50],
    ['quick', 51],
    ['slow', 51],
    ['good with prompts', 51],
  ])
})

test('a visit gives the median step, the rate of long prompts, the load and the memory', () => {
  const continuations = [
    { promptTokens: 16, prefillMs: 50, stepMs: [9, 10, 90] },
    { promptTokens: 512, prefillMs: 2000, stepMs: [12, 14] },
  ]
  const samples = samplesOfVisit('a', 2, { readyMs: 700, loadedBytes: 3e8, result: { kind: 'speed', continuations } })
  expect(samples.map(({ measure, context, value }) => [measure, context, value])).toEqual([
    ['load from cache', 0, 700],
    ['memory after loading', 0, 300],
    ['decode', 16, 10],
    ['prefill', 512, 256],
    ['decode', 512, 13],
  ])
})
