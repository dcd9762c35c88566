import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'

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
  return Math.max(1, Math.min(left, prefillRows, lm.maxSteps(cache)))
}
