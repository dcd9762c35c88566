/**
 * A drafter that only proposes what pays, from one drafter or from several. Of their merged proposals the subtree with the most expected tokens per
 * millisecond is verified: acceptance is measured per depth, rank and confidence, the cost of rows from the steps that are run. When nothing pays the step
 * is a plain one, and the drafters are judged all the same, for nothing.
 *
 * Expectations can be wrong. So the budget keeps an account of what its choices saved, and while that is in the red by more than half a step it drafts only what
 * promises much, but goes on to see what its other choices would have saved.
 */
import type { CausalLM, StepTime } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import type { DraftContext, Drafter, DraftRequest, DraftSession, DraftSummary, Proposal, VerifiedStep } from '../drafter.ts'
import { type AcceptanceSnapshot, type AcceptanceTable, createAcceptanceTable } from './acceptance.ts'
import { createAcceptanceJudge } from './acceptance-judge.ts'
import { bestSubtree } from './best-subtree.ts'
import { beginSources, wantsOfAll } from './budget-sources.ts'
import { firstChain, type MergedTree, mergeProposals, proposalOf } from './merge-proposals.ts'
import { createRowCosts, type RowCosts } from './row-costs.ts'

export interface BudgetOptions {
  /** Most rows of a step, the root among them. Default 16. */
  readonly mostRows?: number
  /** Least gain over plain decoding that is drafted for. Default 1.05: estimates err, and a miss costs time. */
  readonly leastGain?: number
  /** How long steps take, to begin with. Default: `lm.plan.stepTimes`, or a guess. */
  readonly stepTimes?: readonly StepTime[]
  /** Where to begin: what `save` gave. */
  readonly learned?: LearnedBudget
}

/** What a budget has learned about each drafter, by its name. */
export interface LearnedBudget {
  readonly acceptance: ReadonlyMap<string, AcceptanceSnapshot>
}

export interface BudgetedDrafter extends Drafter {
  /** A copy of what was learned about acceptance. Nothing of the texts is in it. */
  save(): LearnedBudget
}

/** The account, in plain steps: drafting pauses below the first and goes on above the second; no debt is greater than the third. */
const PAUSE_BELOW = -0.6
const RESUME_ABOVE = -0.3
/** A generation begins in the red: its first choices have to show that they would have paid, unless they promise much. */
const BEGIN_AT = -0.45
const GREATEST_DEBT = -2
/** Gain that is drafted for in the red. */
const CAUTIOUS_GAIN = 1.35

/**
 * @param drafters  the surest first: a token that several propose is the first one's, and later ones are judged by what the earlier ones miss
 * @throws {ArgumentError} for a number outside of its range, no drafter, or drafters that want different things of a step
 */
export function withBudget(drafters: Drafter | readonly Drafter[], options: BudgetOptions = {}): BudgetedDrafter {
  const { mostRows = 16, leastGain = 1.05, stepTimes, learned } = options
  const all = Array.isArray(drafters) ? drafters : [drafters]
  if (!Number.isSafeInteger(mostRows) || mostRows < 2) {
    throw new ArgumentError({ field: 'mostRows', found: String(mostRows), expected: 'a whole number >= 2' })
  }
  if (!(leastGain >= 1)) throw new ArgumentError({ field: 'leastGain', found: String(leastGain), expected: 'a number >= 1' })
  const names = all.map(({ name }) => name)
  if (all.length === 0 || new Set(names).size < all.length) {
    throw new ArgumentError({ field: 'drafters', found: names.join(', ') || 'none', expected: 'one drafter or more, of different names' })
  }
  const tables = all.map(({ name }) => createAcceptanceTable(learned?.acceptance.get(name)))
  const costs = new WeakMap<CausalLM, RowCosts>()
  return {
    name: `${names.join(' + ')}, with a budget`,
    ...wantsOfAll(all),
    save: () => ({ acceptance: new Map(names.map((name, i) => [name, tables[i]?.snapshot() ?? createAcceptanceTable().snapshot()])) }),
    begin(context) {
      const { lm } = context
      const rowCosts = costs.get(lm) ?? createRowCosts(stepTimes ?? lm.plan.stepTimes)
      costs.set(lm, rowCosts)
      rowCosts.begin(context.prompt.length)
      return beginBudget({ drafters: all, names, tables, rowCosts, mostRows, leastGain }, context)
    },
  }
}

interface Budget {
  readonly drafters: readonly Drafter[]
  readonly names: readonly string[]
  readonly tables: readonly AcceptanceTable[]
  readonly rowCosts: RowCosts
  readonly mostRows: number
  readonly leastGain: number
}

function beginBudget({ drafters, names, tables, rowCosts, mostRows, leastGain }: Budget, context: DraftContext): DraftSession {
  const sources = beginSources(drafters, context)
  const { treeVisibility } = context.lm.capabilities
  const decisions = new Map<string, number>()
  const decide = (reason: string) => {
    decisions.set(reason, (decisions.get(reason) ?? 0) + 1)
  }
  const ratioOf = (rows: number) => (rows > mostRows ? Number.POSITIVE_INFINITY : rowCosts.ratioOf(rows))
  let account = BEGIN_AT
  let isPaused = true
  const rivals = new WeakMap<MergedTree, Float64Array>()
  const placeOf = (tree: MergedTree, node: number, rival: number) => ({
    depth: tree.depths[node] ?? 1,
    rank: tree.ranks[node] ?? 0,
    confidence: tree.confidences[node] ?? 0,
    rival,
  })
  const judge = createAcceptanceJudge({
    onNode(tree, node, isRight) {
      tables[tree.owners[node] ?? 0]?.observe(placeOf(tree, node, rivals.get(tree)?.[node] ?? 0), isRight)
    },
    onEnd({ tree, chosen, isVerified }, right) {
      if (chosen.size === 0) return
      account = Math.max(GREATEST_DEBT, Math.min(0, account + right.length - (ratioOf(chosen.size + 1) - 1)))
      if (!isVerified) return
      for (const node of chosen) sources.count(tree.owners[node] ?? 0, 1, 0)
      for (const node of right) sources.count(tree.owners[node] ?? 0, 0, 1)
    },
  })

  /** [nodes] probability of each node to be accepted. */
  const valuesOf = (tree: MergedTree): Float64Array => {
    const values = new Float64Array(tree.tokens.length)
    const estimates = new Float64Array(values.length)
    const strongest = new Float64Array(values.length)
    for (let node = 0; node < values.length; node++) {
      const parent = tree.parents[node] ?? -1
      const owner = tree.owners[node] ?? 0
      let rival = 0
      for (let other = 0; owner > 0 && other < node; other++) {
        if (tree.parents[other] === parent && (tree.owners[other] ?? 0) < owner) rival = Math.max(rival, estimates[other] ?? 0)
      }
      strongest[node] = rival
      const estimate = tables[owner]?.estimate(placeOf(tree, node, rival)) ?? 0
      estimates[node] = estimate
      values[node] = estimate * (parent < 0 ? 1 : (values[parent] ?? 0))
    }
    rivals.set(tree, strongest)
    return values
  }

  const propose = async (request: DraftRequest): Promise<Proposal | undefined> => {
    const plainMs = rowCosts.plainMs
    if (plainMs === undefined) {
      decide('first step')
      return undefined
    }
    const given = await sources.propose({ ...request, most: Math.min(request.most, mostRows - 1) })
    const merged = mergeProposals(given, names)
    if (merged.tokens.length === 0) {
      decide(sources.areAsleep ? 'asleep' : 'nothing drafted')
      return undefined
    }
    const tree = treeVisibility ? merged : mergeProposals([proposalOf(merged, firstChain(merged))], names)
    const values = valuesOf(tree)
    const { nodes, gain } = bestSubtree(values, (rows) => (rows > request.most + 1 ? Number.POSITIVE_INFINITY : ratioOf(rows)))
    const pays = nodes.length > 0 && gain >= leastGain
    const isVerified = pays && (!isPaused || gain >= CAUTIOUS_GAIN)
    judge.begin({ tree, chosen: new Set(pays ? nodes : []), isVerified })
    decide(isVerified ? 'drafted' : pays ? 'paused' : 'does not pay')
    if (!pays) return undefined
    const rowMs = ((ratioOf(nodes.length + 1) - 1) / nodes.length) * plainMs
    for (const node of nodes) sources.credit(tree.owners[node] ?? 0, (values[node] ?? 0) * plainMs - rowMs)
    return isVerified ? proposalOf(tree, nodes) : undefined
  }

  const commit = async (step: VerifiedStep) => {
    judge.read(step.emitted)
    isPaused = account < (isPaused ? RESUME_ABOVE : PAUSE_BELOW)
    rowCosts.observe(step.past, step.rowTokens.length, step.elapsedMs)
    await sources.commit(step, rowCosts.plainMs ?? 0)
  }

  const summary = (): DraftSummary => ({
    decisions: Object.fromEntries(decisions),
    sources: sources.statistics(),
    rowCosts: [2, 4, 8, 16].filter((rows) => rows <= mostRows).map((rows) => ({ rows, cost: rowCosts.ratioOf(rows) })),
    ...(rowCosts.plainMs === undefined ? {} : { plainMs: rowCosts.plainMs }),
  })

  return { propose, commit, summary, observePrompt: sources.observePrompt, end: sources.end }
}
