// Drafters that need no training.
export { promptLookup, type PromptLookupOptions } from './drafters/prompt-lookup.ts'
export { suffixDrafter, type SuffixOptions } from './drafters/suffix.ts'
export { ngramPool, type NgramPoolOptions } from './drafters/ngram-pool.ts'
export { tokenRecycling, type TokenRecycling, type TokenRecyclingOptions } from './drafters/token-recycling.ts'
export type { AdjacencySnapshot } from './adjacency.ts'
// How much of a draft is verified.
export { type BudgetOptions, withBudget } from './with-budget.ts'
export { bestSubtree, type Subtree } from './best-subtree.ts'
// Drafters that run a model.
export { type DraftModelOptions, draftModel } from './drafters/draft-model.ts'
export { type DynamicTreeOptions, dynamicTree } from './drafters/dynamic-tree.ts'
export { VocabularyError } from './errors.ts'
// Parts to build a drafter from.
export { createTokenTree, type TokenTree } from './token-tree.ts'
export { createSuffixAutomaton, NO_MATCH, type SuffixAutomaton, type SuffixMatch } from './suffix-automaton.ts'
// The residual rule, for children that were drawn from a distribution.
export {
  type Chance,
  chanceFrom,
  chooseChild,
  type DraftedChild,
  type ResidualVerification,
  verifyByResidual,
} from './residual-verification.ts'
