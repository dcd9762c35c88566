/**
 * Prompts that begin alike compute their common rows once: a system prompt with many questions, or many samples of one prompt. The prompts are
 * a tree of prefixes; the rows of each stretch between two forks are computed in one cache, which is then forked. Rows do not depend on how a
 * prompt is cut, so every prompt has the bits that it has alone. The last token of a prompt is left: its row gives the first logits.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { nextChunk } from './prefill.ts'

/** Fewer rows saved are not worth a run: that costs as much as about 8 rows of a longer one (SmolLM2-135M on two cores: 11 ms and 1.4 ms). */
const LEAST_SAVED_ROWS = 8

/** A stretch of tokens that several prompts have in common. */
export interface SharedStretch {
  /** Indices of the prompts, at least two. */
  readonly prompts: readonly number[]
  /** The tokens are those at [from, to) of each of them. */
  readonly from: number
  readonly to: number
  /** Stretches that begin at `to`, each of some of the prompts. */
  readonly next: readonly SharedStretch[]
}

/**
 * The tree of what prompts have in common, without stretches that are not worth a run.
 *
 * @param mayShare  whether two prompts' rows are the same where their tokens are
 */
export function sharedStretches(
  prompts: readonly Int32Array[],
  mayShare: (a: Int32Array, b: Int32Array) => boolean = () => true,
  group: readonly number[] = prompts.map((_, index) => index),
  from = 0,
): readonly SharedStretch[] {
  const branches: number[][] = []
  for (const index of group) {
    const prompt = prompts[index]
    // the last token is not shared
    if (prompt === undefined || from + 1 >= prompt.length) continue
    const branch = branches.find(([other = 0]) => {
      const leader = prompts[other]
      return leader !== undefined && leader[from] === prompt[from] && mayShare(leader, prompt)
    })
    if (branch === undefined) branches.push([index])
    else branch.push(index)
  }
  return branches.flatMap((branch) => {
    if (branch.length < 2) return []
    const to = commonEnd(
      branch.flatMap((index) => prompts[index] ?? []),
      from,
    )
    const next = sharedStretches(prompts, mayShare, branch, to)
    if ((to - from) * (branch.length - 1) >= LEAST_SAVED_ROWS) return [{ prompts: branch, from, to, next }]
    // too short for all of them: it becomes a part of the longer stretches of some
    return next.map((each) => ({ ...each, from }))
  })
}

/** Rows that prompts share, in a cache for each of them. */
export interface SharedStart {
  readonly cache: KvCache
  /** Rows of it that were computed for another prompt. */
  readonly reused: number
  /** Of the steps that computed the rows. */
  readonly elapsedMs: number
}

export interface SharedStartOptions {
  readonly prefillRows: number
  readonly signal: AbortSignal | undefined
  readonly clock: () => number
  /** Prompts whose rows up to `done` have been computed. */
  readonly onRows: (prompts: readonly number[], done: number) => void
}

/**
 * Computes the common rows of prompts.
 *
 * @returns a start for each prompt that shares rows; the caches are the caller's. After an error there are none.
 */
export async function computeSharedStarts(
  lm: CausalLM,
  prompts: readonly Int32Array[],
  options: SharedStartOptions,
): Promise<ReadonlyMap<number, SharedStart>> {
  const starts = new Map<number, SharedStart>()
  // where rows depend on how a prompt is cut, sharing them would change what a prompt gives alone
  if (!lm.plan.exact) return starts
  const { ropeSwitch, maxPositions } = lm.config
  // where the rope may depend on the length of the prompt, so do all of its rows
  const dependsOnLength = ropeSwitch !== undefined || maxPositions === Number.POSITIVE_INFINITY
  try {
    for (const stretch of sharedStretches(prompts, (a, b) => !dependsOnLength || a.length === b.length)) {
      await computeStretch(stretch, { cache: lm.createCache(), reused: 0, elapsedMs: 0 })
    }
  } catch (error) {
    for (const { cache } of starts.values()) await cache[Symbol.asyncDispose]()
    throw error
  }
  return starts

  /** @param start  rows before the stretch; its cache is that of the first prompt from here on */
  async function computeStretch({ prompts: members, to, next }: SharedStretch, start: SharedStart): Promise<void> {
    const { cache } = start
    const [first = 0] = members
    starts.set(first, start)
    const tokens = prompts[first] ?? new Int32Array(0)
    const begin = options.clock()
    while (cache.length < to) {
      options.signal?.throwIfAborted()
      const at = cache.length
      const rows = nextChunk(lm, cache, to - at, options.prefillRows)
      const step = { tokens: tokens.slice(at, at + rows), cache, want: {}, sequenceLength: tokens.length }
      const result = await lm.forward(options.signal === undefined ? step : { ...step, signal: options.signal })
      options.signal?.throwIfAborted()
      cache.append(result.rows)
      options.onRows(members, cache.length)
    }
    const elapsedMs = start.elapsedMs + options.clock() - begin
    starts.set(first, { cache, reused: start.reused, elapsedMs })
    // those that share more with another than the first get their caches from that one
    const later = new Set(next.flatMap((stretch) => stretch.prompts.slice(1)))
    for (const member of members)
      if (member !== first && !later.has(member)) starts.set(member, { cache: cache.fork(), reused: to, elapsedMs })
    for (const stretch of next) {
      const own = starts.get(stretch.prompts[0] ?? 0)
      if (own !== undefined) await computeStretch(stretch, own)
    }
  }
}

function commonEnd(prompts: readonly Int32Array[], from: number): number {
  const [first, ...others] = prompts
  let end = Math.min(...prompts.map(({ length }) => length - 1))
  for (const other of others) {
    let at = from
    while (at < end && first?.[at] === other[at]) at++
    end = at
  }
  return end
}
