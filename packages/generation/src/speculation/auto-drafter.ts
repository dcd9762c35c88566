/**
 * The drafter of `speculate: 'auto'`. Its drafts are the longest match of the text so far, which costs microseconds to find and nothing to learn, and a
 * budget verifies what pays. It is found in this package so that `generate` can be quick by itself; other drafters are in @foretoken/speculative.
 */
import type { CausalLM } from '@foretoken/models'
import { forcedTextDrafter } from '../constraints/drafted-text.ts'
import { suffixDrafter } from './suffix-drafter.ts'
import { type BudgetedDrafter, type BudgetOptions, withBudget } from './with-budget.ts'

export interface AutoDrafterOptions extends BudgetOptions {
  /** Texts that outputs may quote, as token ids. They are read once. */
  readonly texts?: readonly ArrayLike<number>[]
  /** Whether outputs have a constraint: text about which it leaves no choice is drafted as well. Default false. */
  readonly isConstrained?: boolean
}

/** Use one for many prompts: it keeps what it learns about acceptance and the cost of rows, and nothing of the texts. */
export function autoDrafter({ texts, isConstrained = false, ...budget }: AutoDrafterOptions = {}): BudgetedDrafter {
  const suffix = suffixDrafter({ shortest: 1, ...(texts === undefined ? {} : { texts }) })
  return withBudget(isConstrained ? [forcedTextDrafter(), suffix] : suffix, budget)
}

const drafters = new WeakMap<CausalLM, BudgetedDrafter>()
const constrainedDrafters = new WeakMap<CausalLM, BudgetedDrafter>()

/** One for each model, for as long as the model is there; another one for outputs with a constraint. */
export function autoDrafterFor(lm: CausalLM, isConstrained: boolean): BudgetedDrafter {
  const kept = isConstrained ? constrainedDrafters : drafters
  const known = kept.get(lm) ?? autoDrafter({ isConstrained })
  kept.set(lm, known)
  return known
}
