import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM, StepResult } from '@foretoken/models'

/** How far the prompt has been computed. */
export interface PrefillProgress {
  /** Rows of the prompt in the cache, reused ones included. */
  readonly done: number
  /** Rows of the prompt. */
  readonly total: number
  /** Since the generation began. */
  readonly elapsedMs: number
}

/**
 * Rows of the next prefill step: as many as are left, as the caller allows, and as the model computes with the bits of single
 * rows. A chunk that ends where the model's cut is keeps the bits of a prompt independent of how it was cut.
 */
export function nextChunk(lm: CausalLM, cache: KvCache, left: number, prefillRows: number): number {
  const rows = Math.max(1, Math.min(left, prefillRows, lm.maxSteps(cache)))
  // recurrent layers can forget the rows of short steps one by one: the prompt ends with one, so that its last row can be computed again
  return rows === left && left > cache.recentRows ? left - cache.recentRows : rows
}

export interface PrefillOptions {
  readonly prefillRows: number
  readonly onPrefill: (progress: PrefillProgress) => void
  readonly signal: AbortSignal | undefined
  readonly clock: () => number
}

/**
 * Computes the rows of a prompt that the cache does not hold.
 *
 * @returns the result of the last step, with the logits of the prompt's last row
 */
export async function prefill(
  lm: CausalLM,
  cache: KvCache,
  prompt: Int32Array,
  { prefillRows, onPrefill, signal, clock }: PrefillOptions,
): Promise<{ readonly result: StepResult; readonly elapsedMs: number }> {
  const start = clock()
  for (;;) {
    signal?.throwIfAborted()
    const from = cache.length
    const to = from + nextChunk(lm, cache, prompt.length - from, prefillRows)
    const want = to === prompt.length ? ({ logits: 'last' } as const) : {}
    const step = { tokens: prompt.slice(from, to), cache, want, sequenceLength: prompt.length }
    const result = await lm.forward(signal === undefined ? step : { ...step, signal })
    signal?.throwIfAborted()
    cache.append(result.rows)
    const elapsedMs = clock() - start
    onPrefill({ done: to, total: prompt.length, elapsedMs })
    if (to === prompt.length) return { result, elapsedMs }
  }
}
