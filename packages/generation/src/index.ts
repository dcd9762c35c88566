// Text from a prompt: one, collected, and what comes out.
export { generate, generateText, joinPieces } from './generate.ts'
export {
  defaultStopTokens,
  type GenerationOptions,
  recommendedOptions,
  type SingleGenerationOptions,
  type VerifiedDrafts,
} from './generation-options.ts'
export type { FinishReason, GeneratedText, GenerationPiece, GenerationStatistics, TokenLogProbability } from './generation-piece.ts'
export type { PrefillProgress } from './prefill.ts'
export type { PromptInput } from './prompt.ts'
// Several prompts at once, and beams.
export { type BatchPiece, generateBatch, generateTexts } from './generate-batch.ts'
export type { BeamOptions } from './beam-options.ts'
export type { BeamHypothesis } from './beam-search.ts'
export { generateBeams } from './generate-beams.ts'
// A cache that outlives a generation.
export { PrefixCache, type PrefixSnapshot } from './prefix-cache.ts'
// Drafts: the default drafter, and the budget that chooses what is verified. More drafters are in @foretoken/speculative.
export { type AutoDrafterOptions, autoDrafter } from './speculation/auto-drafter.ts'
export { type BudgetedDrafter, type BudgetOptions, type LearnedBudget, withBudget } from './speculation/with-budget.ts'
export type { AcceptanceSnapshot } from './speculation/acceptance.ts'
export { type SuffixOptions, suffixDrafter } from './speculation/suffix-drafter.ts'
export { chainAfterMatch } from './speculation/match-chain.ts'
export { createSuffixAutomaton, NO_MATCH, type SuffixAutomaton, type SuffixMatch } from './speculation/suffix-automaton.ts'
// Drafts: what a drafter is asked and told, and what its drafts brought.
export type {
  Drafter,
  DraftContext,
  DraftRequest,
  DraftSession,
  DraftSourceSummary,
  DraftSummary,
  DraftWants,
  NodeSource,
  Proposal,
  UnverifiedRows,
  VerifiedStep,
} from './drafter.ts'
export type { SpeculationStatistics } from './speculation-statistics.ts'
// Scores of given text.
export { type Score, type ScoreOptions, type ScoreTop, score } from './score.ts'
// How the next token is chosen.
export type { CheckedSampling, Sampling } from './sampling.ts'
export { createSampler, type Sampler, type TokenDistribution } from './sampler.ts'
export { createTokenRanking, type RankedTokens, type TokenRanking } from './token-ranking.ts'
export { gumbelNoise, type NoiseKey, noiseKey } from './token-noise.ts'
// Logits processors: the interface, and those of the options one by one.
export { type LogitsProcessor, type ProcessorState, prefixProcessor, processorChain, type TokenPrefix } from './logits-processor.ts'
export { badWords } from './processors/bad-words.ts'
export { frequencyPenalty } from './processors/frequency-penalty.ts'
export { logitBias } from './processors/logit-bias.ts'
export { minimumLength } from './processors/minimum-length.ts'
export { noRepeatNgram } from './processors/no-repeat-ngram.ts'
export { repetitionPenalty } from './processors/repetition-penalty.ts'
// What an output may be.
export type { Constraint, ConstraintState, OutputVocabulary } from './constraints/constraint.ts'
export { forcedTextDrafter } from './constraints/drafted-text.ts'
export { choiceConstraint } from './constraints/choice-constraint.ts'
export { grammarConstraint } from './constraints/ebnf-grammar.ts'
export { type JsonConstraintOptions, jsonConstraint, jsonSchemaConstraint } from './constraints/json-constraints.ts'
export type { JsonWhitespace } from './constraints/json-text.ts'
export { outputVocabulary } from './constraints/output-vocabulary.ts'
export { regexConstraint } from './constraints/regex-constraint.ts'
// Stop strings in streamed text.
export { createStopStringMatcher, type StopStringMatcher } from './stop-strings.ts'
// Errors.
export {
  CacheBusyError,
  ConstraintError,
  ContextLengthError,
  DraftError,
  LogitsError,
  ProcessorError,
  TokenizerMissingError,
} from './errors.ts'
