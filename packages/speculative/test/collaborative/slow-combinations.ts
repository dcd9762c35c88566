/** The combinations once more, from probabilities, with every token from an empty cache: slow, and written from the papers' formulas. */
import type { CausalLM } from '@foretoken/models'

/** [vocab] log-probabilities after these tokens. */
async function logProbabilities(lm: CausalLM, tokens: readonly number[]): Promise<number[]> {
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { logits: 'last' } })
  const row = [...(logits?.data ?? [])]
  const max = Math.max(...row)
  const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - max), 0)) + max
  return row.map((logit) => logit - total)
}

export type SlowRule = (tokens: readonly number[]) => Promise<readonly number[]>

export const slowContrast =
  (large: CausalLM, small: CausalLM, extrapolation: number, plausibility: number): SlowRule =>
  async (tokens) => {
    const [l, s] = [await logProbabilities(large, tokens), await logProbabilities(small, tokens)]
    const least = plausibility * Math.max(...l.map(Math.exp))
    return l.map((own, token) =>
      Math.exp(own) < least ? Number.NEGATIVE_INFINITY : (1 - extrapolation) * (s[token] ?? 0) + extrapolation * own,
    )
  }

export const slowProxy =
  (large: CausalLM, tuned: CausalLM, untuned: CausalLM, strength: number): SlowRule =>
  async (tokens) => {
    const [l, after, before] = [
      await logProbabilities(large, tokens),
      await logProbabilities(tuned, tokens),
      await logProbabilities(untuned, tokens),
    ]
    return l.map((own, token) => own + strength * ((after[token] ?? 0) - (before[token] ?? 0)))
  }

/** @param isUnsure  told the small model's probabilities, greatest first */
export const slowCascade =
  (small: CausalLM, large: CausalLM, isUnsure: (sorted: readonly number[]) => boolean): SlowRule =>
  async (tokens) => {
    const own = await logProbabilities(small, tokens)
    const sorted = own.map(Math.exp).sort((a, b) => b - a)
    return isUnsure(sorted) ? logProbabilities(large, tokens) : own
  }

/** The best token each time. */
export async function slowly(rule: SlowRule, prompt: readonly number[], newTokens: number): Promise<number[]> {
  const tokens = [...prompt]
  for (let i = 0; i < newTokens; i++) {
    const scores = await rule(tokens)
    tokens.push(scores.indexOf(Math.max(...scores)))
  }
  return tokens.slice(prompt.length)
}
