/**
 * What further rows add to a step, over a step of one row. Only this ratio decides whether drafts pay, and it is steadier than times: a busy machine
 * slows steps of all sizes down. So each observed step is set against the level of the steps around it. What was measured when the model was opened
 * (`lm.plan.stepTimes`) gives the shape of the curve, observations bend it: those of one size mostly there, and a little everywhere.
 */
import { type StepTime, stepTimeTable } from '@foretoken/models'

export interface RowCosts {
  /** Milliseconds of a step of one row, as things are; undefined before anything was measured or observed. */
  readonly plainMs: number | undefined
  /** Time of a step of so many rows, over that of one row: 1 for one row, never less for more rows. */
  ratioOf(rows: number): number
  /** A generation goes on after so many rows: the shape is kept, the level is found again. */
  begin(context: number): void
  /** A step was run. */
  observe(context: number, rows: number, elapsedMs: number): void
}

/** What a row adds until it is known: about what 8-bit rows cost on processors with wide integer products. */
const GUESSED_ROW = 0.08
const MOST_ROWS = 64
/** The shape is taken again from the measured times after so many rows of context. */
const CONTEXT_STEP = 64
/** The level is the median of the first steps, and follows the later ones with these weights: a plain step says most about it. */
const FIRST_STEPS = 5
const PLAIN_WEIGHT = 0.16
const DRAFTED_WEIGHT = 0.06
/** A step counts as at most so many times as long or as short as expected: the rest is a disturbance, and those are long far more often than short. */
const MOST_SURPRISE = 1.25
/** A row is expected to add no less than this, whatever was measured: what is expected to be nothing could not be bent. */
const LEAST_ROW = 0.01
/** However a busy machine makes it look, a row costs no less than this part of what is expected of it. */
const LEAST_BEND = 0.4
/** Steps of four rows that the measured shape is worth, and what a sum keeps with each further one. */
const SHAPE_WEIGHT = 6
const FADING = 0.985

/** @param measured  `lm.plan.stepTimes`, or nothing */
export function createRowCosts(measured: readonly StepTime[] = []): RowCosts {
  const table = measured.length === 0 ? undefined : stepTimeTable(measured)
  let shapeContext = Number.NEGATIVE_INFINITY
  /** [rows + 1] what the rows add by measurement. */
  const excess = new Float64Array(MOST_ROWS + 1)
  /** [rows + 1] the same after observations, as times of one row. */
  const ratios = new Float64Array(MOST_ROWS + 1).fill(1)
  let level: number | undefined
  let first: number[] = []
  // least squares through the origin: observed over expected excess, for all sizes and for each
  const all = { product: 0, square: 0 }
  const sizes = Array.from({ length: sizeOf(MOST_ROWS) + 1 }, () => ({ product: 0, square: 0 }))

  const shapeAt = (context: number) => {
    if (Math.abs(context - shapeContext) < CONTEXT_STEP) return
    shapeContext = context
    // more rows never take less time: where a measurement says so, the one of fewer rows was disturbed
    for (let rows = MOST_ROWS; rows >= 1; rows--) {
      const time = table === undefined ? 1 + GUESSED_ROW * (rows - 1) : table.estimateMs(context, rows)
      excess[rows] = rows === MOST_ROWS ? time : Math.min(time, excess[rows + 1] ?? time)
    }
    const single = excess[1] ?? 1
    if (level === undefined && table !== undefined) level = single
    for (let rows = 1; rows <= MOST_ROWS; rows++) excess[rows] = Math.max((excess[rows] ?? 0) / single - 1, LEAST_ROW * (rows - 1))
    bendRatios()
  }
  const bendRatios = () => {
    const reference = SHAPE_WEIGHT * (excess[4] ?? 0) ** 2
    const general = (all.product + reference) / (all.square + reference)
    for (let rows = 2; rows <= MOST_ROWS; rows++) {
      const expected = excess[rows] ?? 0
      const own = sizes[sizeOf(rows)] ?? all
      const special = SHAPE_WEIGHT * expected ** 2
      const bent = Math.max(LEAST_BEND, (own.product + special * general) / (own.square + special))
      ratios[rows] = Math.max(ratios[rows - 1] ?? 1, 1 + expected * bent)
    }
  }
  const ratioOf = (rows: number) => ratios[Math.max(1, Math.min(rows, MOST_ROWS))] ?? 1
  /** @param found  how much longer the step took than a plain one */
  const bend = (rows: number, found: number) => {
    const expected = excess[Math.min(rows, MOST_ROWS)] ?? 0
    for (const sum of [all, sizes[sizeOf(Math.min(rows, MOST_ROWS))] ?? all]) {
      sum.product = sum.product * FADING + found * expected
      sum.square = sum.square * FADING + expected * expected
    }
    bendRatios()
  }
  return {
    get plainMs() {
      return level
    },
    ratioOf,
    begin(context) {
      first = []
      shapeContext = Number.NEGATIVE_INFINITY
      shapeAt(context)
    },
    observe(context, rows, elapsedMs) {
      if (!(elapsedMs > 0) || !Number.isFinite(elapsedMs)) return
      shapeAt(context)
      const own = elapsedMs / ratioOf(rows)
      if (level !== undefined && first.length === FIRST_STEPS) {
        const surprise = Math.min(MOST_SURPRISE, Math.max(1 / MOST_SURPRISE, own / level))
        if (rows > 1) bend(rows, surprise * ratioOf(rows) - 1)
        level *= surprise ** (rows > 1 ? DRAFTED_WEIGHT : PLAIN_WEIGHT)
        return
      }
      first.push(own)
      level = first.toSorted((a, b) => a - b)[(first.length - 1) >> 1]
    },
  }
}

/** Sizes that share their observations: 2, 3, 4 to 5, 6 to 7, 8 to 11, 12 to 15, and so on. */
function sizeOf(rows: number): number {
  return Math.floor(2 * Math.log2(rows) + 1e-9)
}
