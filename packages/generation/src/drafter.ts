/**
 * What speculation is made of. A drafter proposes a tree of tokens that may follow; one step of the model computes a row for each of them; the
 * tree is walked from its root, choosing at each node the token that plain decoding chooses there, for as long as a node with that token was
 * proposed. So the output is that of plain decoding, greedy and sampled, for any drafter: noise depends on the position and not on the proposal.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM, StepResult, Want } from '@foretoken/models'
import type { ConstraintState } from './constraints/constraint.ts'
import type { LogitsProcessor } from './logits-processor.ts'
import type { TokenDistribution } from './sampler.ts'
import type { CheckedSampling } from './sampling.ts'

/** Proposes what may come next. What it keeps from generation to generation lies in it; what belongs to one generation, in its session. */
export interface Drafter {
  /** For statistics and messages. */
  readonly name: string
  /** What steps return for all rows, beside their logits: hidden states of a draft head, attention scores. */
  readonly wants?: DraftWants
  /** The same of the steps that compute the prompt, which otherwise return nothing but the last row's logits. */
  readonly wantsOfPrompt?: Want
  /** Whether `commit` may be left out of steps that the drafter was not asked for. A budget then spares its time while it does not pay. */
  readonly mayMissSteps?: boolean
  /** A generation begins; its prompt is not computed yet. */
  begin(context: DraftContext): DraftSession
}

export type DraftWants = Pick<Want, 'topK' | 'hidden' | 'scores'>

export interface DraftContext {
  readonly lm: CausalLM
  /** The model's own rows, lent: to be read between steps, never changed. Row i is of token i. */
  readonly cache: KvCache
  /** [tokens] a copy. */
  readonly prompt: Int32Array
  readonly sampling: CheckedSampling
  /** What changes the logits before a token is chosen, in order; a drafter that has logits of its own follows them with states of its own. */
  readonly processors?: readonly LogitsProcessor[]
  /** Begins to follow the output with its constraint, from its first token; absent where there is none. */
  readonly constraint?: () => ConstraintState
  /** Which of the seed's sequences of noise is drawn from. */
  readonly sequence: number
  readonly stopTokens: ReadonlySet<number>
  readonly signal: AbortSignal | undefined
  readonly clock: () => number
}

/** A drafter at work on one generation. */
export interface DraftSession {
  /** What may follow; undefined or a tree without nodes: a plain step. */
  propose(request: DraftRequest): Proposal | undefined | Promise<Proposal | undefined>
  /** A step has been run and its tokens chosen. */
  commit?(step: VerifiedStep): void | Promise<void>
  /** A step of the prompt has been run, when `wantsOfPrompt` is there. Its rows are of the tokens from `from` on. */
  observePrompt?(result: StepResult, from: number): void
  /** The generation has ended, in whatever way. */
  end?(): void | Promise<void>
  /** What was decided so far and why, for statistics. */
  summary?(): DraftSummary
}

export interface DraftSummary {
  /** Steps by what was decided: 'drafted', or why not. */
  readonly decisions: Readonly<Record<string, number>>
  /** What each drafter brought and took. */
  readonly sources: readonly DraftSourceSummary[]
  /** Time of steps with so many rows, over that of a plain one. */
  readonly rowCosts: readonly { readonly rows: number; readonly cost: number }[]
  /** Milliseconds of a plain step, as the costs count it. */
  readonly plainMs?: number
}

export interface DraftSourceSummary {
  readonly name: string
  /** Steps that it was asked for a proposal. */
  readonly asked: number
  /** Its nodes that were verified. */
  readonly verified: number
  /** Those of them that became output. */
  readonly accepted: number
  /** Time that it took. */
  readonly draftMs: number
}

export interface DraftRequest {
  /** [tokens] prompt and output. The last one is the root: its row is not in the cache yet. Valid during the call. */
  readonly tokens: Int32Array
  /** Most nodes, >= 1: how long a step may be. `unverified` rows count as well. */
  readonly most: number
  /** Greatest depth of a node, >= 1: what there is room for. */
  readonly deepest: number
}

/** A tree of tokens below the last one of the output. Siblings have different tokens. */
export interface Proposal {
  /** [nodes] ids. */
  readonly tokens: Int32Array
  /** [nodes] index of the parent, -1 below the root; parents come first. */
  readonly parents: Int32Array
  /** [nodes] how each was drawn; all of them fixed when absent. The order of siblings is that of their draws. */
  readonly sources?: readonly NodeSource[]
  /** [nodes] what the drafter thinks the probability is that a node is accepted, given that its parent is. For budgets alone. */
  readonly confidences?: Float64Array
  /** Rows that are computed behind the nodes for what they return, and never become output. */
  readonly unverified?: UnverifiedRows
}

export type NodeSource =
  /** Chosen without chance, or by chance that nobody accounts for: a point mass. */
  | { readonly kind: 'fixed' }
  /** Drawn from a distribution given the earlier siblings, whatever came out. */
  | { readonly kind: 'drawn'; readonly distribution: TokenDistribution }

export interface UnverifiedRows {
  /** [rows] ids. */
  readonly tokens: Int32Array
  /** [rows] -1 below the root, otherwise a node, or `nodes + i` for the i-th of these rows, which comes before. */
  readonly parents: Int32Array
}

export interface VerifiedStep {
  /** Undefined after a plain step. */
  readonly proposal: Proposal | undefined
  /** [1 + nodes + unverified] the ids of the rows, the root first. */
  readonly rowTokens: Int32Array
  /** Logits of all rows, and what was wanted; valid during the call. */
  readonly result: StepResult
  /** Rows of the step that were accepted, in order; 0 is the root, 1 + i node i. */
  readonly path: readonly number[]
  /** The tokens chosen after the rows of `path`. */
  readonly emitted: readonly number[]
  /** Rows in the cache before the step. */
  readonly past: number
  /** Of the step alone. */
  readonly elapsedMs: number
}
