/**
 * Several prompts at once: what they have in common at the beginning is computed once, then every step asks each unfinished sequence for its next
 * rows and runs them together. Rows of a batch have the bits of rows alone, so every sequence gives the pieces that it would give by itself;
 * sequences that have finished leave.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { DecodingSequence } from './decoding-sequence.ts'
import { joinPieces } from './generate.ts'
import { type CheckedOptions, checkOptions, type GenerationOptions, OPTION_NAMES, roomAfter } from './generation-options.ts'
import type { GeneratedText, GenerationPiece } from './generation-piece.ts'
import { checkNames } from './option-checks.ts'
import { type EncodedPrompt, encodePrompt, PROMPT_FIELDS, type PromptInput } from './prompt.ts'
import { computeSharedStarts } from './shared-prefix.ts'

export interface BatchPiece extends GenerationPiece {
  /** Index of the prompt. */
  readonly row: number
}

/**
 * Generates after each of the prompts; pieces come step by step, within a step in the order of the prompts, and each row's last
 * piece has `finishReason` and `statistics` (its times are those of the steps it shared). Row i draws from the noise of sequence
 * `sequence + i`, so equal prompts give different samples, and `generate` with that sequence gives the same ids.
 *
 * An error or an abort ends all rows. `onPrefill` counts the rows of all prompts.
 *
 * @throws as `generate`
 */
export function generateBatch(lm: CausalLM, prompts: readonly PromptInput[], options: GenerationOptions = {}): AsyncIterable<BatchPiece> {
  const checked = checkOptions(lm, options, OPTION_NAMES)
  const encoded = prompts.map((prompt) => {
    checkNames(prompt, new Set(PROMPT_FIELDS))
    return encodePrompt(lm, prompt)
  })
  return decodeTogether(lm, encoded, checked)
}

/** The same as `generateBatch`, collected: one output per prompt. */
export async function generateTexts(
  lm: CausalLM,
  prompts: readonly PromptInput[],
  options: GenerationOptions = {},
): Promise<readonly GeneratedText[]> {
  const pieces: GenerationPiece[][] = prompts.map(() => [])
  for await (const { row, ...piece } of generateBatch(lm, prompts, options)) pieces[row]?.push(piece)
  return pieces.map(joinPieces)
}

async function* decodeTogether(
  lm: CausalLM,
  prompts: readonly EncodedPrompt[],
  options: CheckedOptions,
): AsyncGenerator<BatchPiece, void, undefined> {
  const { signal, clock } = options
  const caches: KvCache[] = []
  try {
    signal?.throwIfAborted()
    const progress = prefillOfAll(prompts, options)
    const tokens = prompts.map((prompt) => (roomAfter(prompt.tokens.length, lm, options) === 0 ? new Int32Array(0) : prompt.tokens))
    const { prefillRows } = options
    const starts = await computeSharedStarts(lm, tokens, { prefillRows, signal, clock, onRows: progress.reachedBy })
    for (const { cache } of starts.values()) caches.push(cache)
    const sequences = prompts.map((prompt, row) => {
      const start = starts.get(row)
      const cache = start?.cache ?? lm.createCache()
      if (start === undefined) caches.push(cache)
      const own = { ...options, onPrefill: progress.of(row) }
      const decoding = new DecodingSequence(lm, prompt, own, cache, start?.reused ?? 0, options.sequence + row)
      decoding.countPrefill(start?.elapsedMs ?? 0)
      return { row, cache, decoding }
    })
    for (const { row, decoding } of sequences) if (decoding.isFinished) yield { row, ...decoding.emptyPiece() }
    for (;;) {
      const active = sequences.filter(({ decoding }) => !decoding.isFinished)
      if (active.length === 0) return
      signal?.throwIfAborted()
      const start = clock()
      const results = await lm.forwardBatch(active.map(({ decoding }) => decoding.nextStep()))
      signal?.throwIfAborted()
      const elapsedMs = clock() - start
      // All results are read before the first piece is handed out: its receiver may run the model.
      const pieces: BatchPiece[] = []
      for (const [i, { row, decoding }] of active.entries()) {
        const result = results[i]
        const piece = result === undefined ? undefined : decoding.take(result, elapsedMs)
        if (piece !== undefined) pieces.push({ row, ...piece })
      }
      // what has finished gives up its rows, and its place in the steps of the others
      for (const { cache, decoding } of active) if (decoding.isFinished) await cache[Symbol.asyncDispose]()
      yield* pieces
    }
  } finally {
    for (const cache of caches) await cache[Symbol.asyncDispose]()
  }
}

interface BatchProgress {
  /** Rows of these prompts up to `done` have been computed. */
  reachedBy(rows: readonly number[], done: number): void
  /** Progress of one prompt. */
  of(row: number): CheckedOptions['onPrefill']
}

/** Progress of each prompt, reported as that of all. */
function prefillOfAll(prompts: readonly EncodedPrompt[], { onPrefill, clock }: CheckedOptions): BatchProgress {
  const start = clock()
  const total = prompts.reduce((sum, { tokens }) => sum + tokens.length, 0)
  const doneByRow = prompts.map(() => 0)
  const report = (elapsedMs: number) => onPrefill({ done: doneByRow.reduce((sum, each) => sum + each, 0), total, elapsedMs })
  return {
    reachedBy(rows, done) {
      for (const row of rows) doneByRow[row] = done
      report(clock() - start)
    },
    of:
      (row) =>
      ({ done, elapsedMs }) => {
        doneByRow[row] = done
        report(elapsedMs)
      },
  }
}
