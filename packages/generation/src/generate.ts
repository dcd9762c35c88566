/**
 * The decoding loop: prefill in chunks, then one token per step, each yielded as soon as it is certain; where drafts pay a step gives several.
 * Nothing is computed before the first piece is asked for, and nothing ahead of the step that the asked piece comes from.
 */
import type { CausalLM } from '@foretoken/models'
import type { CheckedBeams } from './beam-options.ts'
import { searchBeams } from './beam-search.ts'
import { DecodingSequence } from './decoding-sequence.ts'
import type { Drafter } from './drafter.ts'
import { generateSpeculatively } from './generate-speculatively.ts'
import { type CheckedOptions, checkOptions, SINGLE_OPTION_NAMES, type SingleGenerationOptions } from './generation-options.ts'
import { type GeneratedText, type GenerationPiece, statisticsOf } from './generation-piece.ts'
import { lendCache, type PrefixCache } from './prefix-cache.ts'
import { type EncodedPrompt, encodePrompt, type PromptInput } from './prompt.ts'
import { autoDrafterFor } from './speculation/auto-drafter.ts'

/**
 * Generates text after a prompt, piece by piece; the last piece has `finishReason` and `statistics`.
 *
 * Leaving the loop early ends the generation; a `cache` then keeps the rows of what was generated. After an error or an abort it
 * is as before the call. Iterate once.
 *
 * @throws {ArgumentError} at once, for an option outside of its range, an empty prompt, or an id outside of the vocabulary
 * @throws {TokenizerMissingError} at once, when text is involved and the model has no tokenizer or no chat template
 * @throws {ContextLengthError} at once, when the prompt is longer than the context
 * @throws {CacheBusyError} from the iterator, when another generation is writing to the cache
 * @throws {LogitsError} from the iterator, when the model's logits are of no use, naming the position
 * @throws {ProcessorError} from the iterator, when the processors leave no token
 * @throws {DraftError} from the iterator, when the drafter of `speculate` proposes what is no tree
 */
export function generate(lm: CausalLM, options: SingleGenerationOptions & PromptInput): AsyncIterable<GenerationPiece> {
  const checked = checkOptions(lm, options, SINGLE_OPTION_NAMES)
  const prompt = encodePrompt(lm, options)
  if (checked.beams !== undefined) return decodeBeams(lm, prompt, checked, checked.beams, options.cache)
  const drafter = drafterOf(lm, options)
  if (drafter !== undefined) return generateSpeculatively(lm, prompt, checked, drafter, options.cache)
  return decode(lm, prompt, checked, options.cache)
}

function drafterOf(
  lm: CausalLM,
  { speculate = 'auto', speculateInexactly = false, constraint }: SingleGenerationOptions,
): Drafter | undefined {
  if (typeof speculate === 'object') return speculate
  return speculate === 'auto' && (lm.plan.exact || speculateInexactly) ? autoDrafterFor(lm, constraint !== undefined) : undefined
}

/** The same as `generate`, collected. */
export async function generateText(lm: CausalLM, options: SingleGenerationOptions & PromptInput): Promise<GeneratedText> {
  const pieces: GenerationPiece[] = []
  for await (const piece of generate(lm, options)) pieces.push(piece)
  return joinPieces(pieces)
}

/** @param pieces  all pieces of one output */
export function joinPieces(pieces: readonly GenerationPiece[]): GeneratedText {
  const last = pieces.at(-1)
  if (last?.finishReason === undefined || last.statistics === undefined) throw new TypeError('an output ends with a finish reason')
  const hasTop = pieces.some((piece) => piece.topLogProbabilities !== undefined)
  return {
    text: pieces.map((piece) => piece.text).join(''),
    ids: pieces.flatMap((piece) => piece.ids),
    logProbabilities: pieces.flatMap((piece) => piece.logProbabilities),
    ...(hasTop ? { topLogProbabilities: pieces.flatMap((piece) => piece.topLogProbabilities ?? []) } : {}),
    finishReason: last.finishReason,
    statistics: last.statistics,
  }
}

async function* decode(
  lm: CausalLM,
  prompt: EncodedPrompt,
  options: CheckedOptions,
  prefixCache: PrefixCache | undefined,
): AsyncGenerator<GenerationPiece, void, undefined> {
  const { signal, clock } = options
  signal?.throwIfAborted()
  const loan = lendCache(lm, prompt, prefixCache)
  let tokens = prompt.tokens
  try {
    const sequence = new DecodingSequence(lm, prompt, options, loan.cache, loan.reused, options.sequence)
    if (sequence.isFinished) yield sequence.emptyPiece()
    while (!sequence.isFinished) {
      signal?.throwIfAborted()
      const start = clock()
      const result = await lm.forward(sequence.nextStep())
      signal?.throwIfAborted()
      const piece = sequence.take(result, clock() - start)
      tokens = sequence.tokens
      if (piece !== undefined) yield piece
    }
  } catch (error) {
    await loan.undo()
    throw error
  } finally {
    await loan.keep(tokens)
  }
}

/** The best hypothesis as one piece. */
async function* decodeBeams(
  lm: CausalLM,
  prompt: EncodedPrompt,
  options: CheckedOptions,
  beams: CheckedBeams,
  prefixCache: PrefixCache | undefined,
): AsyncGenerator<GenerationPiece, void, undefined> {
  const { reused, prefillMs, decodeMs, hypotheses } = await searchBeams(lm, prompt, options, beams, prefixCache)
  const [best] = hypotheses
  if (best === undefined) return
  const { text, ids, logProbabilities, finishReason } = best
  const statistics = statisticsOf({ promptTokens: prompt.tokens.length, reusedTokens: reused, newTokens: ids.length, prefillMs, decodeMs })
  yield { text, ids, logProbabilities, finishReason, statistics }
}
