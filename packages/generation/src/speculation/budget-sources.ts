/**
 * The drafters of a budget at work. A drafter whose drafts bring less than they take is left alone for a while, twice as long each time, so that even its
 * own time costs next to nothing; then a few steps show whether the text has become another.
 */
import type { StepResult, Want } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { allowedPart, constraintFollower } from '../constraints/drafted-text.ts'
import type {
  DraftContext,
  Drafter,
  DraftRequest,
  DraftSession,
  DraftSourceSummary,
  DraftWants,
  Proposal,
  VerifiedStep,
} from '../drafter.ts'

export interface BudgetSources {
  /** One proposal of each, undefined where there is none. */
  propose(request: DraftRequest): Promise<readonly (Proposal | undefined)[]>
  /** Whether all of them slept through the last request. */
  readonly areAsleep: boolean
  /** Milliseconds that a drafter's nodes are expected to save in this step. */
  credit(source: number, expectedMs: number): void
  count(source: number, verified: number, accepted: number): void
  commit(step: VerifiedStep, plainMs: number): Promise<void>
  observePrompt(result: StepResult, from: number): void
  end(): Promise<void>
  statistics(): readonly DraftSourceSummary[]
}

/** Steps after which a drafter is judged: when it is new, and when it was asleep. */
const FIRST_STEPS = 16
const PROBING_STEPS = 4
const SHORTEST_SLEEP = 16
const LONGEST_SLEEP = 512
/** Weight of a step in the means of what a drafter takes and brings. */
const WEIGHT = 0.1
/** A drafter that takes no more than this part of a plain step need not bring anything to stay awake. */
const NEGLIGIBLE = 0.003

/** @throws whatever a drafter's `begin` throws; those that had begun are ended */
export function beginSources(drafters: readonly Drafter[], context: DraftContext): BudgetSources {
  const sources: Source[] = []
  try {
    for (const drafter of drafters) sources.push(sourceOf(drafter, drafter.begin(context)))
  } catch (error) {
    for (const { session } of sources) void session.end?.()
    throw error
  }
  const { clock } = context
  const follower = constraintFollower(context)
  let areAsleep = false
  return {
    get areAsleep() {
      return areAsleep
    },
    async propose(request) {
      const given: (Proposal | undefined)[] = []
      areAsleep = true
      for (const source of sources) {
        source.stepMs = 0
        source.expectedMs = 0
        if (source.asleep > 0) {
          source.asleep--
          given.push(undefined)
          continue
        }
        areAsleep = false
        source.asked++
        source.stepsAwake++
        const start = clock()
        const proposed = source.session.propose(request)
        const proposal = proposed instanceof Promise ? await proposed : proposed
        // what the output's constraint forbids is not worth a row
        given.push(proposal === undefined || follower === undefined ? proposal : allowedPart(proposal, follower.at(request.tokens)))
        source.stepMs = clock() - start
      }
      return given
    },
    credit(source, expectedMs) {
      const each = sources[source]
      if (each !== undefined) each.expectedMs += expectedMs
    },
    count(source, verified, accepted) {
      const each = sources[source]
      if (each === undefined) return
      each.verified += verified
      each.accepted += accepted
    },
    async commit(step, plainMs) {
      for (const source of sources) {
        if (source.session.commit === undefined || (source.asleep > 0 && source.drafter.mayMissSteps)) {
          settle(source, plainMs)
          continue
        }
        const start = clock()
        const committed = source.session.commit(step)
        if (committed instanceof Promise) await committed
        source.stepMs += clock() - start
        settle(source, plainMs)
      }
    },
    observePrompt(result, from) {
      for (const { drafter, session } of sources) if (drafter.wantsOfPrompt !== undefined) session.observePrompt?.(result, from)
    },
    async end() {
      const ends = await Promise.allSettled(sources.map(async ({ session }) => session.end?.()))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
    statistics: () =>
      sources.map(({ drafter: { name }, asked, verified, accepted, draftMs }) => ({ name, asked, verified, accepted, draftMs })),
  }
}

interface Source {
  readonly drafter: Drafter
  readonly session: DraftSession
  asked: number
  verified: number
  accepted: number
  draftMs: number
  /** Of this step. */
  stepMs: number
  expectedMs: number
  /** Faded means per step. */
  meanMs: number
  meanExpectedMs: number
  stepsAwake: number
  /** Steps until it is asked again. */
  asleep: number
  sleep: number
  judgedAfter: number
}

function sourceOf(drafter: Drafter, session: DraftSession): Source {
  const counts = { asked: 0, verified: 0, accepted: 0, draftMs: 0, stepMs: 0, expectedMs: 0, meanMs: 0, meanExpectedMs: 0 }
  return { drafter, session, ...counts, stepsAwake: 0, asleep: 0, sleep: SHORTEST_SLEEP, judgedAfter: FIRST_STEPS }
}

function settle(source: Source, plainMs: number): void {
  source.draftMs += source.stepMs
  if (source.asleep > 0) return
  const weight = Math.max(WEIGHT, 1 / Math.max(1, source.stepsAwake))
  source.meanMs += weight * (source.stepMs - source.meanMs)
  source.meanExpectedMs += weight * (source.expectedMs - source.meanExpectedMs)
  if (source.stepsAwake < source.judgedAfter) return
  if (source.meanMs <= Math.max(source.meanExpectedMs, NEGLIGIBLE * plainMs)) {
    source.sleep = SHORTEST_SLEEP
    return
  }
  source.asleep = source.sleep
  source.sleep = Math.min(LONGEST_SLEEP, 2 * source.sleep)
  source.stepsAwake = 0
  source.judgedAfter = PROBING_STEPS
}

/** What the steps of all drafters together return. @throws {ArgumentError} where two want different things */
export function wantsOfAll(drafters: readonly Drafter[]): Pick<Drafter, 'wants' | 'wantsOfPrompt'> {
  const wants: DraftWants = mergeWants(drafters.map((drafter) => drafter.wants))
  const wantsOfPrompt: Want = mergeWants(drafters.map((drafter) => drafter.wantsOfPrompt))
  return {
    ...(Object.keys(wants).length === 0 ? {} : { wants }),
    ...(Object.keys(wantsOfPrompt).length === 0 ? {} : { wantsOfPrompt }),
  }
}

function mergeWants(all: readonly (Want | undefined)[]): Want {
  let merged: Want = {}
  for (const want of all) {
    if (want === undefined) continue
    for (const field of ['logits', 'topK', 'hidden', 'scores'] as const) {
      const [known, given] = [merged[field], want[field]]
      if (known !== undefined && given !== undefined && String(known) !== String(given)) {
        throw new ArgumentError({
          field: `wants.${field}`,
          found: `${known} and ${given}`,
          expected: 'drafters that want the same of a step',
        })
      }
    }
    merged = { ...merged, ...want }
  }
  return merged
}
