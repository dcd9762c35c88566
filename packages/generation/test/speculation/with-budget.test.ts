import type { StepTime } from '@foretoken/models'
import { expect, test } from 'vitest'
import { type Drafter, generateText } from '../../src/index.ts'
import { withBudget } from '../../src/speculation/with-budget.ts'
import { hashModel } from '../fakes/fake-model.ts'

const times = (stepMs: (rows: number) => number): StepTime[] =>
  [1, 2, 4, 8, 16].map((rows) => ({ context: 16, rows, stepMs: stepMs(rows), samples: 5 }))
const TOKENS = [1, 2, 3]

/** Chains of the right tokens, every `wrong`-th of them wrong. */
function oracle(output: readonly number[], wrong: number, isTree = false): Drafter {
  return {
    name: 'oracle',
    begin: () => ({
      propose({ tokens, most, deepest }) {
        const at = tokens.length - TOKENS.length
        const ids = output.slice(at, at + Math.min(most, deepest, 15)).map((id, i) => ((at + i) % wrong === 0 ? (id + 1) % 32 : id))
        return { tokens: Int32Array.from(ids), parents: Int32Array.from(ids, (_, i) => (isTree && i === 1 ? -1 : i - 1)) }
      },
    }),
  }
}

async function rowsOf(stepTimes: readonly StepTime[], wrong: number, isTree = false, treeVisibility = true): Promise<number[]> {
  const lm = hashModel({ vocab: 32, memory: 8, stepTimes, treeVisibility })
  // the fake's own time is no guide: the clock stands still, and observed times of 0 are not counted
  const options = { tokens: TOKENS, maxNewTokens: 120, clock: () => 0 }
  const { ids } = await generateText(lm, { ...options, speculate: 'off' })
  lm.steps.length = 0
  expect((await generateText(lm, { ...options, speculate: withBudget(oracle(ids, wrong, isTree)) })).ids).toEqual(ids)
  return lm.steps.slice(1)
}

test('rows that cost nothing are all taken when the drafts hold', async () => {
  const rows = await rowsOf(
    times(() => 10),
    1000,
  )
  expect(Math.max(...rows)).toBe(16)
  expect(rows.length).toBeLessThan(20)
})

test('rows that each cost a step are never taken, however good the drafts are', async () => {
  expect(
    new Set(
      await rowsOf(
        times((rows) => 10 * rows),
        1000,
      ),
    ),
  ).toEqual(new Set([1]))
})

test('a single step that was measured dearer than larger ones does not make drafts pay', async () => {
  const disturbed = times((rows) => (rows === 1 ? 40 : 10 * rows))
  const rows = await rowsOf(disturbed, 2)
  expect(rows.filter((each) => each > 2)).toEqual([])
})

test('a drafter that is always wrong is switched off', async () => {
  const rows = await rowsOf(
    times((each) => 9 + each),
    1,
  )
  expect(rows.length).toBe(119)
  expect(rows.slice(-60).every((each) => each === 1)).toBe(true)
})

test('where rows cannot branch a tree is cut to the chain of its first children', async () => {
  const rows = await rowsOf(
    times(() => 10),
    1000,
    true,
    false,
  )
  expect(Math.max(...rows)).toBe(2)
})

test('without measured times the first step is plain, and the next ones draft', async () => {
  const lm = hashModel({ vocab: 32, memory: 8 })
  const options = { tokens: TOKENS, maxNewTokens: 60 }
  const { ids } = await generateText(lm, { ...options, speculate: 'off' })
  lm.steps.length = 0
  let now = 0
  await generateText(lm, { ...options, clock: () => (now += 5), speculate: withBudget(oracle(ids, 1000)) })
  expect(lm.steps[1]).toBe(1)
  expect(Math.max(...lm.steps.slice(2))).toBeGreaterThan(3)
})

test('several drafters share a tree, and each is told what its own nodes brought', async () => {
  const lm = hashModel({ vocab: 32, memory: 8, stepTimes: times((rows) => 10 + rows / 16) })
  const options = { tokens: TOKENS, maxNewTokens: 120, clock: () => 0 }
  const { ids } = await generateText(lm, { ...options, speculate: 'off' })
  const right = { ...oracle(ids, 1000), name: 'right' }
  // wrong at its first node, so it only keeps what the other one misses: nothing
  const wrong = { ...oracle(ids, 1), name: 'wrong' }
  const { statistics } = await generateText(lm, { ...options, speculate: withBudget([wrong, right]) })
  const [of, other] = statistics.speculation?.summary?.sources ?? []
  expect(of).toMatchObject({ name: 'wrong', accepted: 0 })
  expect(other?.accepted).toBeGreaterThan(90)
  expect(statistics.speculation?.tokensPerStep).toBeGreaterThan(8)
})

test('proposals that are merged stay within what a step may hold', async () => {
  const lm = hashModel({ vocab: 32, cut: 8, stepTimes: times((rows) => 10 + rows / 16) })
  const options = { tokens: TOKENS, maxNewTokens: 60, clock: () => 0 }
  const { ids } = await generateText(lm, { ...options, speculate: 'off' })
  const drafters = [3, 4, 5].map((wrong) => ({ ...oracle(ids, wrong), name: `wrong at every ${wrong}th` }))
  // the model refuses a step that crosses its cut
  const drafted = await generateText(lm, { ...options, speculate: withBudget(drafters) })
  expect(drafted.ids).toEqual(ids)
  expect(drafted.statistics.speculation?.stepsByRows.length).toBe(9)
})

test('a drafter that takes longer than its drafts save is asked ever more rarely', async () => {
  const lm = hashModel({ vocab: 32, memory: 8, stepTimes: times((rows) => 9 + rows) })
  const options = { tokens: TOKENS, maxNewTokens: 600, speculate: 'off' } as const
  const { ids } = await generateText(lm, options)
  let now = 0
  let asked = 0
  const inner = oracle(ids, 1)
  const slow: Drafter = {
    name: 'slow',
    mayMissSteps: true,
    begin(context) {
      const session = inner.begin(context)
      return {
        propose(request) {
          asked++
          now += 5
          return session.propose(request)
        },
      }
    },
  }
  // a step takes ten milliseconds: the clock is read before and after it
  const clock = () => (now += 0.5)
  await generateText(lm, { ...options, clock, speculate: withBudget(slow) })
  expect(asked).toBeLessThan(60)
  expect(asked).toBeGreaterThan(16)
})

test('choices that keep losing are paused, however good they look', async () => {
  // right wherever it is not looked at: acceptance of a rank says one thing, the outcome another
  const rows = await rowsOf(
    times((each) => 9 + each),
    2,
  )
  const drafted = rows.reduce((sum, each) => sum + each - 1, 0)
  const saved = 119 - rows.length
  expect(saved).toBeGreaterThan(0.1 * drafted - 3)
})

test('what was learned is saved by the names of the drafters, and loaded', async () => {
  const lm = hashModel({ vocab: 32, memory: 8, stepTimes: times((rows) => 9 + rows) })
  const options = { tokens: TOKENS, maxNewTokens: 120, clock: () => 0 }
  const { ids } = await generateText(lm, { ...options, speculate: 'off' })
  const first = withBudget(oracle(ids, 1))
  await generateText(lm, { ...options, speculate: first })
  const stepsWith = async (learned: ReturnType<typeof first.save>) => {
    const drafter = withBudget(oracle(ids, 1), { learned })
    return (await generateText(lm, { ...options, speculate: drafter })).statistics.speculation?.draftedSteps ?? 0
  }
  expect(await stepsWith(first.save())).toBeLessThan(await stepsWith(withBudget(oracle(ids, 1)).save()))
})

test('no drafter, two of one name, and drafters that want different things are refused', () => {
  const drafter = oracle([], 1)
  expect(() => withBudget([])).toThrow(/found none/)
  expect(() => withBudget([drafter, drafter])).toThrow(/different names/)
  const wanting = (topK: number): Drafter => ({ ...drafter, name: `top ${topK}`, wants: { topK } })
  expect(withBudget([drafter, wanting(4)]).wants).toEqual({ topK: 4 })
  expect(() => withBudget([wanting(4), wanting(8)])).toThrow(/4 and 8/)
})

test('numbers outside of their range are refused', () => {
  const drafter = oracle([], 1)
  expect(() => withBudget(drafter, { mostRows: 1 })).toThrow(/mostRows/)
  expect(() => withBudget(drafter, { leastGain: 0.5 })).toThrow(/leastGain/)
})
