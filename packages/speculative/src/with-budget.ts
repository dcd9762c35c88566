/**
 * A drafter that only proposes what pays. Of each proposal the subtree with the most expected tokens per millisecond is verified: acceptance is
 * measured per depth, rank and confidence, times of steps come from `lm.plan` and are corrected by those that are run. When nothing pays the step
 * is a plain one, and the drafter is judged all the same, for nothing: what comes next shows which of the nodes would have been accepted.
 */
import type { Drafter, DraftRequest, DraftSession, Proposal, VerifiedStep } from '@foretoken/generation'
import { type CausalLM, type StepTime, type StepTimeTable, stepTimeTable } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { type AcceptanceTable, createAcceptanceTable, type NodePlace } from './acceptance.ts'
import { bestSubtree } from './best-subtree.ts'

export interface BudgetOptions {
  /** Most rows of a step, the root among them. Default 16. */
  readonly mostRows?: number
  /** Least gain over plain decoding that is drafted for. Default 1.05: estimates err, and a miss costs time. */
  readonly leastGain?: number
  /** How long steps take. Default: `lm.plan.stepTimes`, or a guess from the first step when these were not measured. */
  readonly stepTimes?: readonly StepTime[]
}

/** What a further row adds to a step, in parts of it, until it is known: about what 8-bit rows cost on processors with wide integer products. */
const GUESSED_ROW = 0.12
const GUESSED_ROWS = [1, 2, 4, 8, 16, 32]

/** @throws {ArgumentError} for a number outside of its range */
export function withBudget(drafter: Drafter, options: BudgetOptions = {}): Drafter {
  const { mostRows = 16, leastGain = 1.05, stepTimes } = options
  if (!Number.isSafeInteger(mostRows) || mostRows < 2) {
    throw new ArgumentError({ field: 'mostRows', found: String(mostRows), expected: 'a whole number >= 2' })
  }
  if (!(leastGain >= 1)) throw new ArgumentError({ field: 'leastGain', found: String(leastGain), expected: 'a number >= 1' })
  const acceptance = createAcceptanceTable()
  const tables = new WeakMap<CausalLM, StepTimeTable>()
  const { name, wants, wantsOfPrompt } = drafter
  return {
    name: `${name}, with a budget`,
    ...(wants === undefined ? {} : { wants }),
    ...(wantsOfPrompt === undefined ? {} : { wantsOfPrompt }),
    begin(context): DraftSession {
      const { lm } = context
      const inner = drafter.begin(context)
      const known = stepTimes ?? lm.plan.stepTimes ?? []
      if (known.length > 0 && !tables.has(lm)) tables.set(lm, stepTimeTable(known))
      const judge = createJudge(acceptance)
      const propose = async (request: DraftRequest): Promise<Proposal | undefined> => {
        const table = tables.get(lm)
        if (table === undefined) return undefined
        const most = Math.min(request.most, mostRows - 1)
        const given = await inner.propose({ ...request, most })
        if (given === undefined) return undefined
        const proposal = lm.capabilities.treeVisibility ? given : firstChain(given)
        judge.begin(proposal)
        const { nodes, gain } = bestSubtree(valuesOf(proposal, acceptance), ascendingTimes(table, context.cache.length, mostRows))
        return gain < leastGain || nodes.length === 0 ? undefined : restrict(proposal, nodes)
      }
      return {
        propose,
        observePrompt: (result, from) => inner.observePrompt?.(result, from),
        end: () => inner.end?.(),
        async commit(step) {
          judge.read(step.emitted)
          const table = tables.get(lm)
          if (table === undefined) tables.set(lm, guessFrom(step))
          else table.observe(step.past, step.rowTokens.length, step.elapsedMs)
          await inner.commit?.(step)
        },
      }
    },
  }
}

/** More rows never take less time: where a measurement says so the one of fewer rows was disturbed, and would make plain steps look dear. */
function ascendingTimes(table: StepTimeTable, context: number, mostRows: number): (rows: number) => number {
  const times = Float64Array.from({ length: mostRows + 1 }, (_, rows) => table.estimateMs(context, rows))
  for (let rows = mostRows - 1; rows >= 1; rows--) times[rows] = Math.min(times[rows] ?? 0, times[rows + 1] ?? 0)
  return (rows) => times[rows] ?? Number.POSITIVE_INFINITY
}

/** [nodes] probability that each node is accepted. */
function valuesOf(proposal: Proposal, acceptance: AcceptanceTable): Float64Array {
  const places = placesOf(proposal)
  const values = new Float64Array(places.length)
  for (const [node, place] of places.entries()) {
    const parent = proposal.parents[node] ?? -1
    values[node] = (parent < 0 ? 1 : (values[parent] ?? 0)) * acceptance.estimate(place)
  }
  return values
}

function placesOf({ tokens, parents, confidences }: Proposal): NodePlace[] {
  const places: NodePlace[] = []
  const children = new Map<number, number>()
  for (let node = 0; node < tokens.length; node++) {
    const parent = parents[node] ?? -1
    const rank = children.get(parent) ?? 0
    children.set(parent, rank + 1)
    places.push({ depth: (places[parent]?.depth ?? 0) + 1, rank, confidence: confidences?.[node] ?? 0.5 })
  }
  return places
}

/** Follows the output through proposals, whether they were verified or not. */
function createJudge(acceptance: AcceptanceTable) {
  let walks: { readonly proposal: Proposal; readonly places: readonly NodePlace[]; node: number }[] = []
  return {
    begin(proposal: Proposal) {
      // one proposal is followed to its end; those of the steps meanwhile say the same at smaller depths
      if (walks.length < 2) walks.push({ proposal, places: placesOf(proposal), node: -1 })
    },
    read(emitted: readonly number[]) {
      for (const token of emitted) {
        walks = walks.filter((walk) => {
          const { tokens, parents } = walk.proposal
          let next = -2
          for (let node = walk.node + 1; node < tokens.length; node++) {
            const place = walk.places[node]
            if (parents[node] !== walk.node || place === undefined) continue
            acceptance.observe(place, tokens[node] === token)
            if (tokens[node] === token) next = node
          }
          walk.node = next
          return next >= 0
        })
      }
    },
  }
}

/** The first child of the first child, and so on. */
function firstChain(proposal: Proposal): Proposal {
  const nodes: number[] = []
  for (const [node, parent] of proposal.parents.entries()) if (parent === (nodes.at(-1) ?? -1)) nodes.push(node)
  return restrict(proposal, nodes)
}

/** @param nodes  ascending, each with its parent */
function restrict({ tokens, parents, sources, confidences, unverified }: Proposal, nodes: readonly number[]): Proposal {
  if (unverified !== undefined) {
    throw new ArgumentError({
      field: 'unverified',
      found: 'rows that are not verified',
      expected: 'a drafter without them: a budget counts nodes',
    })
  }
  const places = new Map(nodes.map((node, index) => [node, index]))
  return {
    tokens: Int32Array.from(nodes, (node) => tokens[node] ?? 0),
    parents: Int32Array.from(nodes, (node) => places.get(parents[node] ?? -1) ?? -1),
    ...(sources === undefined ? {} : { sources: nodes.flatMap((node) => sources[node] ?? []) }),
    ...(confidences === undefined ? {} : { confidences: Float64Array.from(nodes, (node) => confidences[node] ?? 0) }),
  }
}

function guessFrom({ past, rowTokens, elapsedMs }: VerifiedStep): StepTimeTable {
  const single = elapsedMs / (1 + GUESSED_ROW * (rowTokens.length - 1))
  return stepTimeTable(GUESSED_ROWS.map((rows) => ({ context: past, rows, stepMs: single * (1 + GUESSED_ROW * (rows - 1)), samples: 1 })))
}
