import { type LogitsProcessor, prefixProcessor } from '../logits-processor.ts'

/**
 * Forbids the stop tokens until so many new tokens have been generated.
 *
 * @param minNewTokens  tokens of the output that are no stop token
 */
export function minimumLength(minNewTokens: number, stopTokens: readonly number[]): LogitsProcessor {
  return prefixProcessor('minimum length', (logits, { tokens, promptLength }) => {
    if (tokens.length - promptLength >= minNewTokens) return
    for (const token of stopTokens) logits[token] = Number.NEGATIVE_INFINITY
  })
}
