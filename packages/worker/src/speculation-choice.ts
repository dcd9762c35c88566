/** Drafters by name, because a drafter of functions cannot be sent: those of `@foretoken/speculative` that need no training. */
import type { BudgetOptions, NgramPoolOptions, PromptLookupOptions, SuffixOptions, TokenRecyclingOptions } from '@foretoken/speculative'

/** 'auto' is the drafter that `generate` chooses for the model, 'off' none; as in-thread. */
export type SpeculationChoice = 'auto' | 'off' | DrafterChoice

/** A drafter with its own options; equal choices share one drafter, so that its budget goes on learning. */
export type DrafterChoice = NamedDrafter & {
  /** How much of a draft is verified; `false` verifies all of it. Default: what pays on this machine. */
  readonly budget?: BudgetOptions | false
}

type NamedDrafter =
  | ({ readonly drafter: 'prompt-lookup' } & PromptLookupOptions)
  | ({ readonly drafter: 'suffix' } & SuffixOptions)
  | ({ readonly drafter: 'ngram-pool' } & NgramPoolOptions)
  | ({ readonly drafter: 'token-recycling' } & Omit<TokenRecyclingOptions, 'adjacency'>)
