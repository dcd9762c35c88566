/**
 * How long a step takes, by rows and by rows in the cache. Whoever chooses how many tokens to draft weighs the tokens that a step may bring
 * against these times: on a processor without wide integer products sixteen rows cost several single ones. They depend on the machine and
 * the format, so they are measured: in rounds over all sizes, so that a disturbance meets all of them, until a budget is spent. Between
 * measured sizes a time is interpolated in a straight line, which is what both rows and context cost. While decoding, observed steps
 * correct the table.
 */
import { ArgumentError } from '@foretoken/tensor'
import type { CausalLM } from './causal-lm.ts'
import { appendNoise } from './noise-rows.ts'

export interface StepTime {
  /** Rows in the cache. */
  readonly context: number
  /** Rows of the step, all with logits. */
  readonly rows: number
  /** Median. */
  readonly stepMs: number
  /** Steps that the median is of. */
  readonly samples: number
}

export interface StepTimesOptions {
  /** Default 1, 2, 4, 8, 16, 32. */
  readonly rows?: readonly number[]
  /** Default 16 and 1,024; those that the model has no positions for, or whose rows take more than 256 MB, are left out. */
  readonly contexts?: readonly number[]
  /** No step is begun after so many milliseconds, default 1,000; the first of each size at the shortest context is run in any case. */
  readonly budgetMs?: number
  /** Milliseconds from an arbitrary start; `performance.now` when absent. */
  readonly clock?: () => number
  readonly signal?: AbortSignal
}

const STEP_ROWS: readonly number[] = [1, 2, 4, 8, 16, 32]
const STEP_CONTEXTS: readonly number[] = [16, 1024]
const BUDGET_MS = 1000
const MOST_ROUNDS = 6
const MOST_CACHE_BYTES = 256 * 2 ** 20

/**
 * Runs steps over caches of noise.
 *
 * @returns  a time for each size that the budget was enough for, by context, then by rows
 * @throws {ArgumentError} for sizes that are no whole numbers from 1 (contexts from 0)
 */
export async function measureStepTimes(lm: CausalLM, options: StepTimesOptions = {}): Promise<readonly StepTime[]> {
  const { budgetMs = BUDGET_MS, clock = () => performance.now(), signal } = options
  const allRows = sizes('rows', options.rows ?? STEP_ROWS, 1)
  const contexts = sizes('contexts', options.contexts ?? STEP_CONTEXTS, 0)
  const cells: { readonly context: number; readonly rows: number; readonly times: number[] }[] = []
  const start = clock()
  await using caches = new AsyncDisposableStack()
  const runs: (() => Promise<void>)[] = []
  for (const context of contexts) {
    const cache = caches.use(lm.createCache())
    const rowBytes = cache.layers.reduce((sum, { kvHeads, keyDim, valueDim }) => sum + 4 * kvHeads * (keyDim + valueDim), 0)
    const room = Math.min(lm.config.maxPositions - context, context === 0 ? Number.POSITIVE_INFINITY : lm.maxSteps(cache))
    if (context > 0 && (room < 1 || context * rowBytes > MOST_CACHE_BYTES)) continue
    if (context > 0)
      appendNoise(
        cache,
        Int32Array.from({ length: context }, (_, position) => position),
      )
    for (const rows of allRows) {
      if (rows > Math.min(room, lm.maxSteps(cache))) continue
      const tokens = Int32Array.from({ length: rows }, (_, row) => (row * 7 + 3) % lm.config.vocab)
      const times: number[] = []
      cells.push({ context, rows, times })
      runs.push(async () => {
        const before = clock()
        await lm.forward({ tokens, cache, want: { logits: 'all' }, ...(signal === undefined ? {} : { signal }) })
        times.push(clock() - before)
      })
    }
  }
  const least = cells.filter(({ context }) => context === cells[0]?.context).length
  for (let run = 0; run < MOST_ROUNDS * runs.length; run++) {
    if (run >= least && clock() - start >= budgetMs) break
    await runs[run % runs.length]?.()
  }
  return cells.flatMap(({ context, rows, times }) => {
    // the first step of a size makes room for it
    const counted = times.length > 1 ? times.slice(1) : times
    return counted.length === 0 ? [] : [{ context, rows, stepMs: median(counted), samples: counted.length }]
  })
}

/** A single sample that is so many times as long as a step of more rows was disturbed, not dear. */
const DISTURBED = 3

/** Whether the machine was so busy that the times say little: sizes that were timed once, and took much longer than steps of more rows. */
export function wereDisturbed(times: readonly StepTime[]): boolean {
  return times.some(
    ({ context, rows, stepMs, samples }) =>
      samples === 1 && times.some((other) => other.context === context && other.rows > rows && stepMs > DISTURBED * other.stepMs),
  )
}

/** The times of one model, kept up to date by whoever runs its steps. */
export interface StepTimeTable {
  /**
   * Milliseconds of a step, between and beyond the measured sizes in straight lines. NaN when nothing was measured or observed.
   *
   * @param context  rows in the cache
   * @param rows     rows of the step
   */
  estimateMs(context: number, rows: number): number
  /** Corrects the nearest measured size by a step that was run. One disturbed step moves it by a tenth at most. */
  observe(context: number, rows: number, elapsedMs: number): void
  /** The table as it is, to be kept. */
  times(): readonly StepTime[]
}

/** Weight of an observed step. */
const OBSERVED = 0.05
/** An observed step counts as at most so many times as long or as short as estimated. */
const MOST_SURPRISE = 3

/** @param measured  `lm.plan.stepTimes`, or what `measureStepTimes` gave */
export function stepTimeTable(measured: readonly StepTime[] = []): StepTimeTable {
  const cells = measured.map((time) => ({ ...time })).sort((a, b) => a.context - b.context || a.rows - b.rows)
  const estimateMs = (context: number, rows: number): number => {
    const contexts = [...new Set(cells.map((cell) => cell.context))]
    const atContext = contexts.map((each) => {
      const line = cells.filter((cell) => cell.context === each)
      return along(
        line.map((cell) => cell.rows),
        line.map((cell) => cell.stepMs),
        rows,
      )
    })
    return along(contexts, atContext, context)
  }
  return {
    estimateMs,
    observe(context, rows, elapsedMs) {
      if (!(elapsedMs > 0) || !Number.isFinite(elapsedMs)) return
      const estimated = estimateMs(context, rows)
      if (Number.isNaN(estimated)) {
        cells.push({ context, rows, stepMs: elapsedMs, samples: 1 })
        return
      }
      const distance = (cell: StepTime) =>
        Math.abs(Math.log2((cell.rows + 1) / (rows + 1))) + Math.abs(Math.log2((cell.context + 64) / (context + 64)))
      const nearest = cells.reduce((best, cell) => (distance(cell) < distance(best) ? cell : best))
      const surprise = Math.min(MOST_SURPRISE, Math.max(1 / MOST_SURPRISE, elapsedMs / estimated))
      nearest.stepMs *= 1 + OBSERVED * (surprise - 1)
      nearest.samples++
    },
    times: () => cells.map((cell) => ({ ...cell })),
  }
}

/** The value at `x` of the broken line through the points, which goes on straight beyond its ends but never below its least value. */
function along(xs: readonly number[], ys: readonly number[], x: number): number {
  const [only = Number.NaN] = ys
  if (xs.length < 2) return only
  let right = xs.findIndex((each) => each >= x)
  if (right <= 0) right = right === 0 ? 1 : xs.length - 1
  const [x0 = 0, x1 = 1, y0 = 0, y1 = 0] = [xs[right - 1], xs[right], ys[right - 1], ys[right]]
  const value = y0 + ((y1 - y0) * (x - x0)) / (x1 - x0)
  return Math.max(value, Math.min(...ys))
}

function sizes(field: string, given: readonly number[], least: number): readonly number[] {
  const wrong = given.find((size) => !Number.isSafeInteger(size) || size < least)
  if (wrong !== undefined) throw new ArgumentError({ field, found: `${wrong}`, expected: `whole numbers from ${least}` })
  return [...new Set(given)].sort((a, b) => a - b)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[sorted.length >> 1] ?? 0) + (sorted[(sorted.length - 1) >> 1] ?? 0)) / 2
}
