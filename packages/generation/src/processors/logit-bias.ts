import { ArgumentError } from '@foretoken/tensor'
import { type LogitsProcessor, prefixProcessor } from '../logits-processor.ts'

/**
 * Adds a number to the logits of some tokens.
 *
 * @param bias  by token id; -Infinity forbids a token, +Infinity and NaN are refused
 */
export function logitBias(bias: ReadonlyMap<number, number>): LogitsProcessor {
  const entries = [...bias]
  for (const [token, value] of entries) {
    if (Number.isNaN(value) || value === Number.POSITIVE_INFINITY) {
      throw new ArgumentError({ field: `logitBias of token ${token}`, found: String(value), expected: 'a number or -Infinity' })
    }
  }
  return prefixProcessor('logit bias', (logits) => {
    for (const [token, value] of entries) logits[token] = (logits[token] ?? 0) + value
  })
}
