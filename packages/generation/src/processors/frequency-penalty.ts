import { ArgumentError } from '@foretoken/tensor'
import type { LogitsProcessor } from '../logits-processor.ts'
import { countTokens } from './token-counts.ts'

/**
 * Subtracts from the logit of every token of the output: `presence` once, and `frequency` for each time it occurred. The prompt
 * does not count. The formula is that of the OpenAI API.
 */
export function frequencyPenalty({ presence = 0, frequency = 0 }: { presence?: number; frequency?: number }): LogitsProcessor {
  for (const [field, value] of Object.entries({ presencePenalty: presence, frequencyPenalty: frequency })) {
    if (!Number.isFinite(value)) throw new ArgumentError({ field, found: String(value), expected: 'a finite number' })
  }
  return countTokens('presence and frequency penalty', 'output', (logits, counts) => {
    for (const [token, count] of counts) logits[token] = (logits[token] ?? 0) - presence - frequency * count
  })
}
