/** What a generation may be told, the defaults, and the checks that run before anything is computed. */
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { type BeamOptions, type CheckedBeams, checkBeams } from './beam-options.ts'
import type { Constraint } from './constraints/constraint.ts'
import type { Drafter } from './drafter.ts'
import type { LogitsProcessor } from './logits-processor.ts'
import { checkCount, checkNames } from './option-checks.ts'
import type { PrefillProgress } from './prefill.ts'
import type { PrefixCache } from './prefix-cache.ts'
import { badWords } from './processors/bad-words.ts'
import { frequencyPenalty } from './processors/frequency-penalty.ts'
import { logitBias } from './processors/logit-bias.ts'
import { minimumLength } from './processors/minimum-length.ts'
import { noRepeatNgram } from './processors/no-repeat-ngram.ts'
import { repetitionPenalty } from './processors/repetition-penalty.ts'
import { checkTokenId, PROMPT_FIELDS, tokenizerFor } from './prompt.ts'
import { type CheckedSampling, checkSampling, type Sampling } from './sampling.ts'
import { createStopStringMatcher } from './stop-strings.ts'

/** How tokens are chosen and when to stop; the same for one prompt, a batch, and beams. */
export interface GenerationOptions {
  /** Default 256. The output also ends where the context does. 0 gives no token. */
  readonly maxNewTokens?: number
  /** Stop tokens are forbidden before so many new tokens. Default 0. */
  readonly minNewTokens?: number
  /** Default greedy. What the checkpoint recommends: `recommendedOptions(lm)`. */
  readonly sampling?: Sampling
  /** Which of the seed's sequences of noise is drawn from. Default 0; row i of a batch adds i. */
  readonly sequence?: number
  /** > 0, default 1: see `repetitionPenalty`. */
  readonly repetitionPenalty?: number
  /** Subtracted once from each token of the output. Default 0. */
  readonly presencePenalty?: number
  /** Subtracted for each time a token is in the output. Default 0. */
  readonly frequencyPenalty?: number
  /** No n-gram of this size occurs twice, prompt included. Default 0: off. */
  readonly noRepeatNgram?: number
  /** Added to the logits of these token ids; -Infinity forbids one. */
  readonly logitBias?: ReadonlyMap<number, number>
  /** Token sequences that never appear. */
  readonly badWords?: readonly ArrayLike<number>[]
  /** The caller's own, after the built-in ones and before the sampling. */
  readonly processors?: readonly LogitsProcessor[]
  /**
   * What the output may be: `jsonSchemaConstraint`, `choiceConstraint`, … It is kept after all processors; a stop token may come where the output is
   * complete. Needs a tokenizer. An output that ends for another reason ('length', a stop string) is only the beginning of a permitted one.
   */
  readonly constraint?: Constraint
  /** Tokens that end the output. Default: what the checkpoint and its tokenizer name as end of text. An empty list: none. */
  readonly stopTokens?: readonly number[]
  /** Strings that end the output; the text is cut before them. Need a tokenizer. */
  readonly stopStrings?: readonly string[]
  /** The log-probabilities of so many best tokens beside that of the chosen one. Default 0. */
  readonly topLogProbabilities?: number
  /** Whether special tokens are left out of the text. Default true. */
  readonly skipSpecialTokens?: boolean
  /**
   * Whether an output goes on where the context of the checkpoint ends, at positions it was not made for. Default false: it ends there
   * with 'length'. A prompt longer than the context is refused in any case.
   */
  readonly beyondContext?: boolean
  /** Most rows of a prefill step. Default 128, with which steps take no longer for a row than with more and need less memory; a step never has more than `lm.maxSteps` allows. */
  readonly prefillRows?: number
  readonly onPrefill?: (progress: PrefillProgress) => void
  /** Ends the generation within one step: it rejects with the signal's reason, and the cache is as before the call. */
  readonly signal?: AbortSignal
  /** Milliseconds for the statistics. Default `performance.now`. */
  readonly clock?: () => number
}

export interface VerifiedDrafts {
  /** Tokens that were drafted for the step. */
  readonly drafted: number
  /** Those of them that became output. */
  readonly accepted: number
}

export interface SingleGenerationOptions extends GenerationOptions {
  /** Keeps the rows for the next call, whose prompt may begin with the same tokens. */
  readonly cache?: PrefixCache
  /** Beam search instead of one token after the other: the output comes as one piece at the end. */
  readonly beams?: BeamOptions
  /**
   * Drafts tokens that one step verifies together. The output is the same, token for token. Default 'auto': `autoDrafter`, where rows of a step are
   * the bits of single steps (`lm.plan.exact`), and one token per step elsewhere and with beams. 'off': one token per step.
   */
  readonly speculate?: 'auto' | 'off' | Drafter
  /** After each step that verified drafts, before its pieces: the first `accepted` of them are drafted tokens. */
  readonly onDrafts?: (drafts: VerifiedDrafts) => void
  /**
   * Whether to speculate where rows of a step are not the bits of single steps (`lm.plan.exact` is false), and the output may differ from plain
   * decoding. Default false: refused.
   */
  readonly speculateInexactly?: boolean
}

/** Options with their defaults, checked. */
export interface CheckedOptions {
  readonly maxNewTokens: number
  readonly sampling: CheckedSampling
  readonly beams: CheckedBeams | undefined
  readonly sequence: number
  readonly processors: readonly LogitsProcessor[]
  readonly constraint: Constraint | undefined
  readonly stopTokens: ReadonlySet<number>
  readonly stopStrings: readonly string[]
  readonly topLogProbabilities: number
  readonly skipSpecialTokens: boolean
  readonly beyondContext: boolean
  readonly prefillRows: number
  readonly onPrefill: (progress: PrefillProgress) => void
  readonly onDrafts: (drafts: VerifiedDrafts) => void
  readonly signal: AbortSignal | undefined
  readonly clock: () => number
}

/** Names of `GenerationOptions`. */
export const OPTION_NAMES: ReadonlySet<string> = new Set<keyof GenerationOptions>([
  'maxNewTokens',
  'minNewTokens',
  'sampling',
  'sequence',
  'repetitionPenalty',
  'presencePenalty',
  'frequencyPenalty',
  'noRepeatNgram',
  'logitBias',
  'badWords',
  'processors',
  'constraint',
  'stopTokens',
  'stopStrings',
  'topLogProbabilities',
  'skipSpecialTokens',
  'beyondContext',
  'prefillRows',
  'onPrefill',
  'signal',
  'clock',
])

/** Names of what `generate` takes. */
export const SINGLE_OPTION_NAMES: ReadonlySet<string> = new Set([
  ...OPTION_NAMES,
  'cache',
  'beams',
  'speculate',
  'onDrafts',
  'speculateInexactly',
  ...PROMPT_FIELDS,
])

/**
 * @param names  of the options that the caller takes
 * @throws {ArgumentError} for an unknown option, or a value outside of its range
 * @throws {TokenizerMissingError} for stop strings without a tokenizer
 */
export function checkOptions(lm: CausalLM, options: SingleGenerationOptions, names: ReadonlySet<string>): CheckedOptions {
  const { vocab } = lm.config
  checkNames(options, names)
  const { maxNewTokens = 256, minNewTokens = 0, topLogProbabilities = 0, sequence = 0, prefillRows = 128 } = options
  checkCount('maxNewTokens', maxNewTokens, 0)
  checkCount('minNewTokens', minNewTokens, 0)
  checkCount('topLogProbabilities', topLogProbabilities, 0, vocab)
  checkCount('sequence', sequence, 0, 2 ** 32 - 1)
  checkCount('prefillRows', prefillRows, 1)
  const sampling = checkSampling(options.sampling ?? { kind: 'greedy' })
  if (options.beams !== undefined && topLogProbabilities > 0) {
    throw new ArgumentError({ field: 'topLogProbabilities', found: 'beams as well', expected: 'one or the other' })
  }
  checkSpeculation(lm, options)
  const { stopStrings = [] } = options
  if (stopStrings.length > 0) tokenizerFor(lm, 'stopStrings')
  createStopStringMatcher(stopStrings)
  const stopTokens = options.stopTokens ?? defaultStopTokens(lm)
  if (options.constraint !== undefined) checkConstraint(lm, stopTokens)
  for (const [index, token] of stopTokens.entries()) checkTokenId(token, vocab, `stopTokens[${index}]`)
  return {
    maxNewTokens,
    sampling,
    beams: options.beams === undefined ? undefined : checkBeams(options.beams, sampling.kind === 'greedy'),
    sequence,
    processors: processorsOf(options, stopTokens, vocab),
    constraint: options.constraint,
    stopTokens: new Set(stopTokens),
    stopStrings,
    topLogProbabilities,
    skipSpecialTokens: options.skipSpecialTokens ?? true,
    beyondContext: options.beyondContext ?? false,
    prefillRows,
    onPrefill: options.onPrefill ?? (() => undefined),
    onDrafts: options.onDrafts ?? (() => undefined),
    signal: options.signal,
    clock: options.clock ?? (() => performance.now()),
  }
}

function checkConstraint(lm: CausalLM, stopTokens: readonly number[]): void {
  tokenizerFor(lm, 'constraint')
  if (stopTokens.length > 0) return
  throw new ArgumentError({
    field: 'constraint',
    found: 'no stop tokens',
    expected: 'at least one, to be chosen where the output is complete',
  })
}

function checkSpeculation(lm: CausalLM, { speculate, beams, speculateInexactly = false }: SingleGenerationOptions): void {
  if (speculate === undefined || speculate === 'auto' || speculate === 'off') return
  if (typeof speculate !== 'object') {
    throw new ArgumentError({ field: 'speculate', found: String(speculate), expected: "'auto', 'off' or a drafter" })
  }
  if (beams !== undefined) throw new ArgumentError({ field: 'speculate', found: 'beams as well', expected: 'one or the other' })
  if (!lm.plan.exact && !speculateInexactly) {
    throw new ArgumentError({
      field: 'speculate',
      found: 'a model whose rows are not the same bits alone and together (plan.exact is false)',
      expected: 'one whose rows are, or speculateInexactly: true',
    })
  }
}

/** How many new tokens there is room for after a prompt. */
export function roomAfter(promptLength: number, lm: CausalLM, { maxNewTokens, beyondContext }: CheckedOptions): number {
  return beyondContext ? maxNewTokens : Math.min(maxNewTokens, lm.config.maxPositions - promptLength)
}

/** The end-of-text tokens of the checkpoint's generation defaults and of its tokenizer, without those beyond the vocabulary. */
export function defaultStopTokens(lm: CausalLM): readonly number[] {
  const tokens = new Set([...lm.generationDefaults.endOfText, ...(lm.tokenizer?.specialTokens.endOfText ?? [])])
  return [...tokens].filter((token) => token < lm.config.vocab)
}

/**
 * What the checkpoint recommends in its `generation_config.json`, to be spread into the options. Greedy when it recommends nothing.
 *
 * @param seed  of the noise, default 0
 */
export function recommendedOptions(
  lm: Pick<CausalLM, 'generationDefaults'>,
  seed = 0,
): Pick<GenerationOptions, 'sampling' | 'repetitionPenalty'> {
  const { temperature, topK, topP, minP, repetitionPenalty: penalty } = lm.generationDefaults
  const samples = [temperature, topK, topP, minP].some((each) => each !== undefined)
  const sampling: Sampling = samples
    ? {
        kind: 'sample',
        seed,
        ...(temperature === undefined ? {} : { temperature }),
        ...(topK === undefined || topK === 0 ? {} : { topK }),
        ...(topP === undefined ? {} : { topP }),
        ...(minP === undefined ? {} : { minP }),
      }
    : { kind: 'greedy' }
  return penalty === undefined ? { sampling } : { sampling, repetitionPenalty: penalty }
}

function processorsOf(options: GenerationOptions, stopTokens: readonly number[], vocab: number): LogitsProcessor[] {
  const processors: LogitsProcessor[] = []
  if (options.logitBias !== undefined) {
    for (const token of options.logitBias.keys()) checkTokenId(token, vocab, 'logitBias')
    processors.push(logitBias(options.logitBias))
  }
  const { presencePenalty: presence = 0, frequencyPenalty: frequency = 0 } = options
  if (options.repetitionPenalty !== undefined && options.repetitionPenalty !== 1)
    processors.push(repetitionPenalty(options.repetitionPenalty))
  if (presence !== 0 || frequency !== 0) processors.push(frequencyPenalty({ presence, frequency }))
  if (options.noRepeatNgram !== undefined && options.noRepeatNgram !== 0) processors.push(noRepeatNgram(options.noRepeatNgram))
  if (options.badWords !== undefined) {
    for (const [index, word] of options.badWords.entries()) {
      for (let i = 0; i < word.length; i++) checkTokenId(word[i] ?? Number.NaN, vocab, `badWords[${index}][${i}]`)
    }
    processors.push(badWords(options.badWords))
  }
  if (options.minNewTokens !== undefined && options.minNewTokens > 0) processors.push(minimumLength(options.minNewTokens, stopTokens))
  return [...processors, ...(options.processors ?? [])]
}
