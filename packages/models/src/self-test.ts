/**
 * Whether a row of a step is the same bits as the row of a step of its own. It depends on kernels of the runtime and the processor, so
 * it is tried when a model is opened: four rows at once against four single ones, over a cache that reaches past the first cut, and two
 * sequences in one run, of which one is long and one short, against each alone.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM, StepResult } from './causal-lm.ts'
import { appendNoise } from './noise-rows.ts'
import { BLOCK } from './step/attention-feeds.ts'

const ROWS = 4
const CACHED = BLOCK + 10
const CACHED_SHORT = 5
const NOTHING = new Float32Array(0)

export interface SelfTest {
  readonly exact: boolean
  /** What differed, where something did. */
  readonly note?: string
}

export interface SelfTestOptions {
  /** Where positions end, for models with a table of them: a short one is spread over the rows. */
  readonly positionsEnd?: number
  /** Positions are the number of cached rows: they cannot be spread, so fewer rows are cached. */
  readonly countsPositions?: boolean
  /** Nothing is cached: for models that take several rows only in front. */
  readonly startsEmpty?: boolean
  readonly signal?: AbortSignal
}

export async function selfTest(
  lm: CausalLM,
  { positionsEnd = Number.POSITIVE_INFINITY, countsPositions = false, startsEmpty = false, signal }: SelfTestOptions = {},
): Promise<SelfTest> {
  const options = signal === undefined ? {} : { signal }
  await using together = lm.createCache()
  // a state has no cuts, and rows before it leave no other trace
  const most = startsEmpty ? 0 : together.layers.every(({ recurrent }) => recurrent !== undefined) ? ROWS : CACHED
  const cached = countsPositions ? Math.max(0, Math.min(most, positionsEnd - ROWS)) : most
  const spread = countsPositions ? 1 : Math.min(1, positionsEnd / (cached + ROWS))
  const positions = Int32Array.from({ length: cached + ROWS }, (_, row) => Math.floor(row * spread))
  appendNoise(together, positions.subarray(0, cached))
  await using alone = together.fork()
  const tokens = Int32Array.from({ length: ROWS }, (_, row) => (row * 7 + 3) % lm.config.vocab)
  const all = await lm.forward({ tokens, positions: positions.subarray(cached), cache: together, want: { logits: 'all' }, ...options })
  let first: StepResult | undefined
  for (let row = 0; row < ROWS; row++) {
    const one = await lm.forward({
      tokens: tokens.subarray(row, row + 1),
      positions: positions.subarray(cached + row, cached + row + 1),
      cache: alone,
      want: { logits: 'last' },
      ...options,
    })
    first ??= one
    const found = difference(all, one, row, lm.config.vocab)
    if (found !== undefined) return { exact: false, note: `row ${row} of ${ROWS}: ${found} from a step of one row` }
    alone.append(one.rows)
  }
  if (lm.capabilities.sharedSteps === true && first !== undefined) {
    const note = await sharedDifference(lm, together, first, tokens.subarray(0, 1), positions, options)
    if (note !== undefined) return { exact: false, note }
  }
  if (together.recentRows !== Number.POSITIVE_INFINITY) {
    const note = await replayDifference(lm, together, all, tokens, options)
    if (note !== undefined) return { exact: false, note }
  }
  return { exact: true }
}

/** A row of each of two sequences in one run: the long one, whose single step gave `alone`, and its first few rows. */
async function sharedDifference(
  lm: CausalLM,
  cache: KvCache,
  alone: StepResult,
  tokens: Int32Array,
  positions: Int32Array,
  options: { readonly signal?: AbortSignal },
): Promise<string | undefined> {
  await using long = cache.fork()
  await using short = cache.fork()
  short.truncate(Math.min(CACHED_SHORT, cache.length))
  const stepOf = (of: KvCache) =>
    ({ tokens, positions: positions.subarray(of.length, of.length + 1), cache: of, want: { logits: 'last' }, ...options }) as const
  const shortAlone = await lm.forward(stepOf(short))
  const [longShared, shortShared] = await lm.forwardBatch([stepOf(long), stepOf(short)])
  for (const [name, shared, one] of [
    ['long', longShared, alone],
    ['short', shortShared, shortAlone],
  ] as const) {
    const found = shared === undefined ? 'no result differs' : difference(shared, one, 0, lm.config.vocab)
    if (found !== undefined) return `the ${name} one of two sequences in one run: ${found} from a run of its own`
  }
  return undefined
}

/** Rows that were accepted without a state after them are replayed by the next step: whether it goes on with the same bits. */
async function replayDifference(
  lm: CausalLM,
  cache: KvCache,
  all: StepResult,
  tokens: Int32Array,
  options: { readonly signal?: AbortSignal },
): Promise<string | undefined> {
  const { vocab } = lm.config
  cache.append(all.rows, Int32Array.of(0, 1))
  const rest = await lm.forward({ tokens: tokens.subarray(2), cache, want: { logits: 'all' }, ...options })
  const largest = largestDifference(all.logits?.data.subarray(2 * vocab) ?? NOTHING, rest.logits?.data ?? NOTHING)
  if (largest > 0) return `logits after replayed rows differ by up to ${largest.toPrecision(2)}`
  for (const [layer, { recurrent }] of all.rows.layers.entries()) {
    const state = recurrent?.stateAfter ?? NOTHING
    if (largestDifference(state, rest.rows.layers[layer]?.recurrent?.stateAfter ?? NOTHING) > 0) {
      return `the state of layer ${layer} after replayed rows differs`
    }
  }
  return undefined
}

/** What of row `row` of several is not that of a single one. */
function difference(all: StepResult, one: StepResult, row: number, vocab: number): string | undefined {
  const logits = all.logits?.data.subarray(row * vocab, (row + 1) * vocab)
  if (logits === undefined || one.logits === undefined) return 'no logits, which differs'
  const largest = largestDifference(logits, one.logits.data)
  if (largest > 0) return `logits differ by up to ${largest.toPrecision(2)}`
  for (const [layer, { keys, values, recurrent }] of one.rows.layers.entries()) {
    const rows = all.rows.layers[layer]
    if (recurrent !== undefined) {
      const width = recurrent.inputs.length
      const sameInputs = rows?.recurrent?.inputs.subarray(row * width, (row + 1) * width) ?? NOTHING
      const sameState = row === ROWS - 1 ? (rows?.recurrent?.stateAfter ?? NOTHING) : (recurrent.stateAfter ?? NOTHING)
      if (largestDifference(recurrent.inputs, sameInputs) > 0 || largestDifference(recurrent.stateAfter ?? NOTHING, sameState) > 0) {
        return `what the recurrence of layer ${layer} reads, or its state, differs`
      }
      continue
    }
    const sameKeys = rows?.keys.subarray(row * keys.length, (row + 1) * keys.length)
    const sameValues = rows?.values.subarray(row * values.length, (row + 1) * values.length)
    if (
      sameKeys === undefined ||
      sameValues === undefined ||
      largestDifference(sameKeys, keys) > 0 ||
      largestDifference(sameValues, values) > 0
    ) {
      return `keys or values of layer ${layer} differ`
    }
  }
  return undefined
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0
  for (let at = 0; at < a.length; at++) {
    const difference = Math.abs((a[at] ?? 0) - (b[at] ?? 0))
    // a NaN on one side only is a difference as well
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }
  return largest
}
