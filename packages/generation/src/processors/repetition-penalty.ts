import { ArgumentError } from '@foretoken/tensor'
import type { LogitsProcessor } from '../logits-processor.ts'
import { countTokens } from './token-counts.ts'

/**
 * Makes every token of the prompt and of the output less likely, once however often it occurred: a negative logit is multiplied
 * by the penalty, another divided by it. After Keskar et al. 2019, "CTRL", section 4.1; as transformers does.
 *
 * @param penalty  > 0; 1 changes nothing, below 1 favours repetition
 */
export function repetitionPenalty(penalty: number): LogitsProcessor {
  if (!(penalty > 0 && Number.isFinite(penalty))) {
    throw new ArgumentError({ field: 'repetitionPenalty', found: String(penalty), expected: 'a finite number > 0' })
  }
  return countTokens('repetition penalty', 'prompt and output', (logits, counts) => {
    for (const token of counts.keys()) {
      const logit = logits[token] ?? 0
      logits[token] = logit < 0 ? logit * penalty : logit / penalty
    }
  })
}
