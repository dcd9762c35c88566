// Drafters that need no training. The one of `speculate: 'auto'` and the budget come with `generate`.
export { promptLookup, type PromptLookupOptions } from './drafters/prompt-lookup.ts'
export { type SuffixOptions, suffixDrafter } from '@foretoken/generation'
export { ngramPool, type NgramPoolOptions } from './drafters/ngram-pool.ts'
export { tokenRecycling, type TokenRecycling, type TokenRecyclingOptions } from './drafters/token-recycling.ts'
export type { AdjacencySnapshot } from './adjacency.ts'
// How much of a draft is verified, of one drafter or of several together.
export { autoDrafter, type BudgetedDrafter, type BudgetOptions, type LearnedBudget, withBudget } from '@foretoken/generation'
// Drafters that run a model.
export { type DraftModelOptions, draftModel } from './drafters/draft-model.ts'
export { type DynamicTreeOptions, dynamicTree } from './drafters/dynamic-tree.ts'
export { earlyExit } from './drafters/early-exit.ts'
export { type JacobiOptions, jacobi } from './drafters/jacobi.ts'
export { type LookaheadOptions, lookahead } from './drafters/lookahead.ts'
export { type BridgedDraftOptions, bridgedDraftModel } from './drafters/bridged-draft-model.ts'
export { type FrequentTokensOptions, frequentTokens } from './draft-vocabulary.ts'
export { ModelPairError, VocabularyError } from './errors.ts'
// Several models at once. Not lossless: the output is that of none of them.
export { type ContrastiveOptions, lossyContrastive } from './collaborative/contrastive.ts'
export { lossyProxyTuning, type ProxyTuningOptions } from './collaborative/proxy-tuning.ts'
export { type Cascade, type CascadeOptions, type CascadeReport, type Consultation, lossyCascade } from './collaborative/cascade.ts'
export { type CombinationRule, joinedModel } from './collaborative/joined-model.ts'
// Parts to build a drafter from.
export { createTokenTree, type TokenTree } from './token-tree.ts'
export { createSuffixAutomaton, NO_MATCH, type SuffixAutomaton, type SuffixMatch } from '@foretoken/generation'
// The residual rule, for children that were drawn from a distribution.
export {
  type Chance,
  chanceFrom,
  chooseChild,
  type DraftedChild,
  type ResidualVerification,
  verifyByResidual,
} from './residual-verification.ts'
