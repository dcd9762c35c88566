/**
 * Proxy tuning (Liu et al. 2024; FS-GEN's proxy combiner): what tuning changed in a small model is added to a large one that was not tuned.
 * logits = large + strength * (tuned - untuned). NOT lossless.
 */
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { joinedModel } from './joined-model.ts'

export interface ProxyTuningOptions {
  readonly large: CausalLM
  /** A small model, tuned. */
  readonly tuned: CausalLM
  /** The same one before. */
  readonly untuned: CausalLM
  /** A finite number. Default 1. */
  readonly strength?: number
}

/** The output is none of the models'. @throws {ArgumentError} {VocabularyError} as `joinedModel` does, and for a number outside of its range */
export function lossyProxyTuning({ large, tuned, untuned, strength = 1 }: ProxyTuningOptions): CausalLM {
  if (!Number.isFinite(strength)) throw new ArgumentError({ field: 'strength', found: String(strength), expected: 'a finite number' })
  return joinedModel([large, tuned, untuned], 'proxy tuning', ([base = NOTHING, after = NOTHING, before = NOTHING], out) => {
    for (let token = 0; token < out.length; token++) {
      out[token] = (base[token] ?? 0) + strength * ((after[token] ?? 0) - (before[token] ?? 0))
    }
  })
}

const NOTHING = new Float32Array(0)
