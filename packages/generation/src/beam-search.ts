/**
 * Beam search: of all continuations of the running beams the best by summed log-probability go on. The rules are those of
 * transformers (5.x): processors work on log-softmax; max(2, 1 + stop tokens) * beams candidates are looked at; a candidate that
 * ends becomes a hypothesis only if it is among the first `count`; a hypothesis is worth its sum divided by
 * length^lengthPenalty, the length counting the new tokens with the stop token. Every beam has its own cache; a beam with two
 * children is forked.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM, StepResult } from '@foretoken/models'
import { topK } from '@foretoken/tensor'
import type { CheckedBeams } from './beam-options.ts'
import { processorsFor } from './constraints/constraint-processor.ts'
import { checkRow, lastRow } from './decoding-sequence.ts'
import { ProcessorError } from './errors.ts'
import { type CheckedOptions, roomAfter } from './generation-options.ts'
import type { FinishReason } from './generation-piece.ts'
import { type ProcessorState, processorChain } from './logits-processor.ts'
import { createRowScan, logSumExp, scanRow } from './logits-row.ts'
import { prefill } from './prefill.ts'
import { lendCache, type PrefixCache } from './prefix-cache.ts'
import type { EncodedPrompt } from './prompt.ts'
import { scanProcessed } from './sampler.ts'
import { createTextStream } from './text-stream.ts'

/** One output of a beam search. */
export interface BeamHypothesis {
  readonly ids: readonly number[]
  readonly text: string
  /** Raw log-probabilities of `ids`. */
  readonly logProbabilities: readonly number[]
  /** Sum of the processed log-probabilities over length^lengthPenalty. */
  readonly score: number
  readonly finishReason: FinishReason
}

export interface BeamResult {
  /** At least one, best first, at most `count`. */
  readonly hypotheses: readonly BeamHypothesis[]
  /** Tokens of the prompt whose rows were already in the cache. */
  readonly reused: number
  readonly prefillMs: number
  readonly decodeMs: number
}

/** A running beam: its tokens have no stop in them, and the row of its last token is not in its cache. */
interface Beam {
  readonly ids: readonly number[]
  readonly logProbabilities: readonly number[]
  readonly sum: number
  readonly processors: ProcessorState
  readonly cache: KvCache
}

interface Candidate {
  readonly parent: Beam
  readonly token: number
  readonly sum: number
  readonly logProbability: number
}

/**
 * All hypotheses that a beam search ends with. The prefix cache, when there is one, receives the rows of the prompt.
 *
 * @throws {CacheBusyError} when another generation is writing to the cache
 * @throws {LogitsError} when the model's logits are of no use
 * @throws {ProcessorError} when the processors leave no token to any beam before a hypothesis was found
 */
export async function searchBeams(
  lm: CausalLM,
  prompt: EncodedPrompt,
  options: CheckedOptions,
  beams: CheckedBeams,
  prefixCache: PrefixCache | undefined,
): Promise<BeamResult> {
  options.signal?.throwIfAborted()
  const room = roomAfter(prompt.tokens.length, lm, options)
  if (room === 0) {
    const nothing: BeamHypothesis = { ids: [], text: '', logProbabilities: [], score: 0, finishReason: 'length' }
    return { hypotheses: [nothing], reused: 0, prefillMs: 0, decodeMs: 0 }
  }
  const loan = lendCache(lm, prompt, prefixCache)
  try {
    const result = await searchAfter(lm, prompt, options, beams, loan.cache, room)
    await loan.keep(prompt.tokens)
    return { ...result, reused: loan.reused }
  } catch (error) {
    await loan.undo()
    throw error
  }
}

/** @param promptCache  receives the missing rows of the prompt and nothing else */
async function searchAfter(
  lm: CausalLM,
  prompt: EncodedPrompt,
  options: CheckedOptions,
  beams: CheckedBeams,
  promptCache: KvCache,
  room: number,
): Promise<Omit<BeamResult, 'reused'>> {
  const { signal, clock } = options
  const position = prompt.tokens.length
  const first = await prefill(lm, promptCache, prompt.tokens, options)
  const wanted = Math.max(2, 1 + options.stopTokens.size) * beams.count
  const expand = createExpander(lm.config.vocab, wanted)
  let hypotheses: readonly BeamHypothesis[] = []
  let decodeMs = 0
  let running: readonly Beam[] = [
    {
      ids: [],
      logProbabilities: [],
      sum: 0,
      processors: processorChain(processorsFor(lm, prompt, options)).follow(prompt.tokens),
      cache: promptCache.fork(),
    },
  ]
  let results: readonly StepResult[] = [first.result]
  try {
    for (let length = 1; ; length++) {
      const candidates = expand(running, results, position + length - 1)
      if (candidates.length === 0 && hypotheses.length === 0) throw nothingLeft(position + length - 1)
      const unfinished: Candidate[] = []
      const finished: BeamHypothesis[] = []
      for (const [rank, candidate] of candidates.entries()) {
        const end = endOf(lm, prompt, options, candidate, length === room)
        if (end === undefined) unfinished.push(candidate)
        else if (rank < beams.count) finished.push({ ...end, score: candidate.sum / length ** beams.lengthPenalty })
      }
      hypotheses = [...hypotheses, ...finished].sort((a, b) => b.score - a.score).slice(0, beams.count)
      const next = unfinished.slice(0, beams.count)
      if (next.length === 0 || isSettled(hypotheses, next[0]?.sum ?? 0, length, room, beams)) break
      running = await proceed(running, next)
      signal?.throwIfAborted()
      const start = clock()
      results = await lm.forwardBatch(
        running.map(({ ids, cache }) => ({ tokens: Int32Array.of(ids.at(-1) ?? 0), cache, want: { logits: 'last' } as const })),
      )
      signal?.throwIfAborted()
      for (const [i, { cache }] of running.entries()) {
        const rows = results[i]?.rows
        if (rows !== undefined) cache.append(rows)
      }
      decodeMs += clock() - start
    }
  } finally {
    for (const { cache } of running) await cache[Symbol.asyncDispose]()
  }
  return { hypotheses, prefillMs: first.elapsedMs, decodeMs }
}

/** The best continuations of all beams, best first; among equals the earlier beam, then the lower id. */
function createExpander(vocab: number, wanted: number) {
  const scan = createRowScan(vocab)
  const scores = new Float32Array(vocab)
  return (running: readonly Beam[], results: readonly StepResult[], position: number): Candidate[] => {
    const candidates: Candidate[] = []
    for (const [b, beam] of running.entries()) {
      const result = results[b]
      if (result === undefined) throw nothingLeft(position)
      const row = lastRow(result, vocab, position)
      checkRow(row, scan, position)
      const logTotal = logSumExp(row, scan.max)
      for (let i = 0; i < vocab; i++) scores[i] = (row[i] ?? 0) - logTotal
      beam.processors.apply(scores)
      scanRow(scores, scan)
      if (scan.broken >= 0) scanProcessed(scores, scan, position)
      const best = topK(scores, wanted)
      for (const [i, token] of best.indices.entries()) {
        const score = best.values[i] ?? 0
        if (score === Number.NEGATIVE_INFINITY) break
        candidates.push({ parent: beam, token, sum: beam.sum + score, logProbability: (row[token] ?? 0) - logTotal })
      }
    }
    return candidates.sort((a, b) => b.sum - a.sum).slice(0, wanted)
  }
}

/** What the candidate is as an output, if it ends. */
function endOf(
  lm: CausalLM,
  prompt: EncodedPrompt,
  options: CheckedOptions,
  { parent, token, logProbability }: Candidate,
  isLast: boolean,
): Omit<BeamHypothesis, 'score'> | undefined {
  const isStop = options.stopTokens.has(token)
  if (!isStop && !isLast && options.stopStrings.length === 0) return undefined
  const ids = [...parent.ids, token]
  const stream = createTextStream(lm.tokenizer, prompt, options)
  const parts = (isStop ? parent.ids : ids).map((id) => stream.push(id))
  let isStopped = parts.some((part) => part.isStopped)
  if (!isStop && !isLast && !isStopped) return undefined
  if (!isStopped) {
    parts.push(stream.flush())
    isStopped = parts.some((part) => part.isStopped)
  }
  const text = parts.map((part) => part.text).join('')
  const finishReason = isStopped ? 'stop-string' : isStop ? 'stop-token' : 'length'
  return { ids, text, logProbabilities: [...parent.logProbabilities, logProbability], finishReason }
}

/** Whether `count` hypotheses are found and no running beam is to be waited for. */
function isSettled(
  hypotheses: readonly BeamHypothesis[],
  bestSum: number,
  length: number,
  room: number,
  { count, lengthPenalty, earlyStopping }: CheckedBeams,
): boolean {
  if (hypotheses.length < count) return false
  if (earlyStopping === true) return true
  const hopedLength = earlyStopping === 'never' && lengthPenalty > 0 ? room : length
  return bestSum / hopedLength ** lengthPenalty <= (hypotheses.at(-1)?.score ?? 0)
}

/** The beams of the next step. The first child of a beam takes its cache and state, further ones fork them; beams without children end. */
async function proceed(running: readonly Beam[], next: readonly Candidate[]): Promise<Beam[]> {
  const children = next.map(({ parent, token, sum, logProbability }, i): Beam => {
    const isFirst = next.findIndex((other) => other.parent === parent) === i
    return {
      ids: [...parent.ids, token],
      logProbabilities: [...parent.logProbabilities, logProbability],
      sum,
      processors: parent.processors.fork(),
      cache: isFirst ? parent.cache : parent.cache.fork(),
    }
  })
  for (const { processors, ids } of children) processors.push(ids.at(-1) ?? 0)
  for (const beam of running) {
    if (!next.some(({ parent }) => parent === beam)) await beam.cache[Symbol.asyncDispose]()
  }
  return children
}

function nothingLeft(position: number): ProcessorError {
  const field = `processed logits for position ${position}`
  return new ProcessorError({ field, found: 'every token forbidden in every beam', expected: 'at least one that is allowed' })
}
