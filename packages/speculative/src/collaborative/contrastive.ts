/**
 * Contrastive decoding (Li et al. 2022; FS-GEN's contrastive combiner): a token counts by how much more likely the large model finds it than the small one,
 * among those that the large model finds plausible. logits = small + extrapolation * (large - small); 1 is the large model cut to its plausible tokens, more
 * is contrast, less leans towards the small one. NOT lossless.
 */
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { type CombinationRule, joinedModel } from './joined-model.ts'

export interface ContrastiveOptions {
  readonly large: CausalLM
  readonly small: CausalLM
  /** Default 1.5. A finite number >= 0. */
  readonly extrapolation?: number
  /** Tokens with less than this part of the large model's highest probability are forbidden; > 0, <= 1. Default 0.1. */
  readonly plausibility?: number
}

/** The output is neither model's. @throws {ArgumentError} {VocabularyError} as `joinedModel` does, and for a number outside of its range */
export function lossyContrastive({ large, small, extrapolation = 1.5, plausibility = 0.1 }: ContrastiveOptions): CausalLM {
  if (!(extrapolation >= 0 && Number.isFinite(extrapolation))) {
    throw new ArgumentError({ field: 'extrapolation', found: String(extrapolation), expected: 'a finite number >= 0' })
  }
  if (!(plausibility > 0 && plausibility <= 1)) {
    throw new ArgumentError({ field: 'plausibility', found: String(plausibility), expected: 'a number > 0 and <= 1' })
  }
  return joinedModel([large, small], 'contrastive decoding', contrast(extrapolation, Math.log(plausibility)))
}

function contrast(extrapolation: number, logPlausibility: number): CombinationRule {
  return ([large = NOTHING, small = NOTHING], out) => {
    let max = Number.NEGATIVE_INFINITY
    for (let token = 0; token < out.length; token++) max = Math.max(max, large[token] ?? 0)
    const least = max + logPlausibility
    for (let token = 0; token < out.length; token++) {
      const own = large[token] ?? 0
      const other = small[token] ?? 0
      out[token] = own < least ? Number.NEGATIVE_INFINITY : other + extrapolation * (own - other)
    }
  }
}

const NOTHING = new Float32Array(0)
