/**
 * One sequence on its way from prompt to last token. It says which rows it wants next and takes the result; who runs the model
 * (alone or in a batch) is not its concern, so both ways give the same pieces. Per token the host does: one pass for the best
 * logit, one for the log-probability, and what sampling and processors add; rows are copied only when something changes them.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM, DecodeStep, StepResult } from '@foretoken/models'
import { topK } from '@foretoken/tensor'
import { processorsFor } from './constraints/constraint-processor.ts'
import { childOf, type DraftTree, visibilityOf } from './draft-tree.ts'
import { LogitsError } from './errors.ts'
import { type CheckedOptions, roomAfter } from './generation-options.ts'
import {
  type FinishReason,
  type GenerationPiece,
  type GenerationStatistics,
  statisticsOf,
  type TokenLogProbability,
} from './generation-piece.ts'
import { type ProcessorState, processorChain } from './logits-processor.ts'
import { createRowScan, logSumExp, type RowScan, scanRow } from './logits-row.ts'
import { nextChunk } from './prefill.ts'
import type { EncodedPrompt } from './prompt.ts'
import { type Chooser, createChooser, scanProcessed } from './sampler.ts'
import { createTextStream, type TextStream } from './text-stream.ts'
import { createTokenHistory, type TokenHistory } from './token-history.ts'

export class DecodingSequence {
  readonly #lm: CausalLM
  readonly #options: CheckedOptions
  readonly #cache: KvCache
  readonly #reused: number
  readonly #sequence: number
  readonly #room: number
  readonly #history: TokenHistory
  readonly #processors: ProcessorState | undefined
  readonly #chooser: Chooser
  readonly #text: TextStream
  readonly #processed: Float32Array
  readonly #scan: RowScan
  #finishReason: FinishReason | undefined
  /** Length of the sequence that the rows at the beginning of the cache are computed for. */
  #filledLength: number
  #prefillMs = 0
  #decodeMs = 0

  /**
   * @param cache     rows of the first `reused` tokens of the prompt; the sequence appends to it
   * @param sequence  index of the noise
   */
  constructor(lm: CausalLM, prompt: EncodedPrompt, options: CheckedOptions, cache: KvCache, reused: number, sequence: number) {
    const { vocab } = lm.config
    this.#lm = lm
    this.#options = options
    this.#cache = cache
    this.#reused = reused
    this.#sequence = sequence
    this.#room = roomAfter(prompt.tokens.length, lm, options)
    this.#filledLength = prompt.tokens.length
    this.#history = createTokenHistory(prompt.tokens)
    const processors = processorsFor(lm, prompt, options)
    this.#processors = processors.length === 0 ? undefined : processorChain(processors).follow(prompt.tokens)
    this.#chooser = createChooser(options.sampling, vocab)
    this.#text = createTextStream(lm.tokenizer, prompt, options)
    this.#processed = new Float32Array(this.#processors === undefined ? 0 : vocab)
    this.#scan = createRowScan(vocab)
    if (this.#room === 0) this.#finishReason = 'length'
  }

  get isFinished(): boolean {
    return this.#finishReason !== undefined
  }

  /** [tokens] prompt and output; valid until the next `take`. */
  get tokens(): Int32Array {
    return this.#history.tokens
  }

  /** Counts time that went into the rows of the prompt before the first step. */
  countPrefill(elapsedMs: number): void {
    this.#prefillMs += elapsedMs
  }

  /** Counts time that went into drafts after a step. */
  countDecoding(elapsedMs: number): void {
    this.#decodeMs += elapsedMs
  }

  /** Whether the next step computes the row of the last chosen token, rather than rows of the prompt. */
  get isDecoding(): boolean {
    const { tokens, promptLength } = this.#history
    return tokens.length > promptLength && this.#cache.length === tokens.length - 1 && !this.#crossesSwitch(tokens.length)
  }

  /** How many drafted tokens may stand below each other: the last one chosen needs no row, and a rope that jumps ends what a step can hold. */
  get deepestDraft(): number {
    const { tokens, promptLength } = this.#history
    const left = this.#room - (tokens.length - promptLength) - 1
    const { ropeSwitch } = this.#lm.config
    return ropeSwitch === undefined || this.#filledLength > ropeSwitch ? left : Math.min(left, ropeSwitch - tokens.length)
  }

  /** The last token and the tokens that were drafted below it. */
  nextTreeStep(tree: DraftTree): DecodeStep {
    const { nextPosition } = this.#cache
    return {
      tokens: tree.tokens,
      positions: tree.depths.map((depth) => nextPosition + depth),
      ...visibilityOf(tree),
      cache: this.#cache,
      want: { logits: 'all' },
      ...(this.#options.signal === undefined ? {} : { signal: this.#options.signal }),
    }
  }

  /**
   * Walks a tree: chooses tokens for as long as they were drafted, and keeps the rows on the way.
   *
   * @param tree       undefined for a step of the last token alone
   * @param elapsedMs  of the draft and the step
   * @returns          the accepted rows, and what plain decoding gives one after the other; an error comes after the pieces before it
   */
  takeTree(
    result: StepResult,
    tree: DraftTree | undefined,
    elapsedMs: number,
  ): { readonly path: readonly number[]; readonly pieces: readonly GenerationPiece[]; readonly error?: { readonly thrown: unknown } } {
    const { vocab } = this.#lm.config
    const logits = treeRows(result, tree?.tokens.length ?? 1, vocab, this.#history.tokens.length)
    this.#decodeMs += elapsedMs
    const path = [0]
    const pieces: GenerationPiece[] = []
    try {
      for (let row = 0; row >= 0; ) {
        const piece = this.#choose(logits.subarray(row * vocab, (row + 1) * vocab), this.#history.tokens.length)
        pieces.push(piece)
        row = tree === undefined || this.isFinished ? -1 : childOf(tree, row, piece.ids[0] ?? -1)
        if (row >= 0) path.push(row)
      }
    } catch (thrown) {
      this.#cache.append(result.rows, path)
      return { path, pieces, error: { thrown } }
    }
    this.#cache.append(result.rows, path)
    return { path, pieces }
  }

  /** The rows to compute next: a chunk of the prompt, or the last token. */
  nextStep(): DecodeStep {
    const { tokens } = this.#history
    this.#startAnewWhereTheRopeJumps(tokens.length)
    const from = this.#cache.length
    const rows = nextChunk(this.#lm, this.#cache, tokens.length - from, this.#options.prefillRows)
    return {
      tokens: tokens.slice(from, from + rows),
      cache: this.#cache,
      want: from + rows === tokens.length ? { logits: 'last' } : {},
      // a prompt is one sequence however it is cut; decoded rows are the last of theirs
      ...(from < this.#filledLength ? { sequenceLength: this.#filledLength } : {}),
      ...(this.#options.signal === undefined ? {} : { signal: this.#options.signal }),
    }
  }

  /**
   * Keeps the rows of the step and chooses the next token when the step gave its logits.
   *
   * @param elapsedMs  of the step
   * @returns          undefined while the prompt is not complete
   * @throws {LogitsError} when the model's logits are of no use
   * @throws {ProcessorError} when the processors leave no token
   */
  take(result: StepResult, elapsedMs: number): GenerationPiece | undefined {
    const { promptLength, tokens } = this.#history
    const isPrefill = tokens.length === promptLength
    this.#cache.append(result.rows)
    if (isPrefill) {
      this.#prefillMs += elapsedMs
      this.#options.onPrefill({ done: this.#cache.length, total: promptLength, elapsedMs: this.#prefillMs })
    } else this.#decodeMs += elapsedMs
    if (this.#cache.length < tokens.length) return undefined
    return this.#choose(lastRow(result, this.#lm.config.vocab, tokens.length), tokens.length)
  }

  /** The only piece of an output without tokens. */
  emptyPiece(): GenerationPiece {
    return { text: '', ids: [], logProbabilities: [], finishReason: 'length', statistics: this.#statistics() }
  }

  /** Rows of another rope are of no use to a longer sequence: all of them are computed again, once, as the reference does. */
  #startAnewWhereTheRopeJumps(length: number): void {
    if (!this.#crossesSwitch(length)) return
    this.#cache.truncate(0)
    this.#filledLength = length
  }

  #crossesSwitch(length: number): boolean {
    const { ropeSwitch } = this.#lm.config
    return ropeSwitch !== undefined && this.#filledLength <= ropeSwitch && length > ropeSwitch
  }

  #choose(row: Float32Array, position: number): GenerationPiece {
    checkRow(row, this.#scan, position)
    const logTotal = logSumExp(row, this.#scan.max)
    const token = this.#chooseToken(row, position)
    this.#history.push(token)
    this.#processors?.push(token)
    const { text, finishReason } = this.#readText(token)
    this.#finishReason = finishReason
    const top = this.#options.topLogProbabilities
    return {
      text,
      ids: [token],
      logProbabilities: [(row[token] ?? 0) - logTotal],
      ...(top === 0 ? {} : { topLogProbabilities: [topLogProbabilities(row, logTotal, top)] }),
      ...(finishReason === undefined ? {} : { finishReason, statistics: this.#statistics() }),
    }
  }

  #chooseToken(row: Float32Array, position: number): number {
    if (this.#processors === undefined) return this.#chooser.choose(row, this.#scan, this.#sequence, position)
    this.#processed.set(row)
    this.#processors.apply(this.#processed)
    scanProcessed(this.#processed, this.#scan, position)
    return this.#chooser.choose(this.#processed, this.#scan, this.#sequence, position)
  }

  #readText(token: number): { text: string; finishReason: FinishReason | undefined } {
    if (this.#options.stopTokens.has(token)) return this.#lastText('', 'stop-token')
    const { text, isStopped } = this.#text.push(token)
    if (isStopped) return { text, finishReason: 'stop-string' }
    const newTokens = this.#history.tokens.length - this.#history.promptLength
    return newTokens === this.#room ? this.#lastText(text, 'length') : { text, finishReason: undefined }
  }

  /** What was held back may complete a stop string after all. */
  #lastText(text: string, reason: FinishReason): { text: string; finishReason: FinishReason } {
    const rest = this.#text.flush()
    return { text: text + rest.text, finishReason: rest.isStopped ? 'stop-string' : reason }
  }

  #statistics(): GenerationStatistics {
    const { tokens, promptLength } = this.#history
    return statisticsOf({
      promptTokens: promptLength,
      reusedTokens: this.#reused,
      newTokens: tokens.length - promptLength,
      prefillMs: this.#prefillMs,
      decodeMs: this.#decodeMs,
    })
  }
}

function topLogProbabilities(row: Float32Array, logTotal: number, count: number): TokenLogProbability[] {
  const { indices, values } = topK(row, count)
  return Array.from(indices, (id, i) => ({ id, logProbability: (values[i] ?? 0) - logTotal }))
}

/** The logits of the last row of a step that was asked for these alone. @throws {LogitsError} unless they are [1, vocab] */
export function lastRow(result: StepResult, vocab: number, position: number): Float32Array {
  return treeRows(result, 1, vocab, position)
}

/** The logits of all rows of a step. @throws {LogitsError} unless they are [rows, vocab] */
function treeRows(result: StepResult, rows: number, vocab: number, position: number): Float32Array {
  const data = result.logits?.data
  if (data?.length !== rows * vocab) {
    const found = data === undefined ? 'no logits' : `${data.length} logits`
    const expected = rows === 1 ? `one row of ${vocab}` : `${rows} rows of ${vocab}`
    throw new LogitsError({ field: `logits for position ${position}`, found, expected })
  }
  return data
}

/** Scans a row of the model. @throws {LogitsError} when it holds NaN or +Infinity, or nothing but -Infinity */
export function checkRow(row: Float32Array, scan: RowScan, position: number): void {
  scanRow(row, scan)
  const field = `logits for position ${position}`
  if (scan.broken >= 0)
    throw new LogitsError({ field, found: `${row[scan.broken]} at token ${scan.broken}`, expected: 'numbers or -Infinity' })
  if (scan.best < 0) throw new LogitsError({ field, found: 'only -Infinity', expected: 'at least one finite logit' })
}
