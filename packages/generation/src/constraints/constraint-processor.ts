import type { CausalLM } from '@foretoken/models'
import type { LogitsProcessor, ProcessorState } from '../logits-processor.ts'
import type { EncodedPrompt } from '../prompt.ts'
import { tokenizerFor } from '../prompt.ts'
import type { Constraint, ConstraintState } from './constraint.ts'
import { outputVocabulary } from './output-vocabulary.ts'

/** What the processors of one output are: those of the options, and after all of them its constraint. */
export function processorsFor(
  lm: CausalLM,
  { isContinued }: EncodedPrompt,
  options: {
    readonly processors: readonly LogitsProcessor[]
    readonly constraint: Constraint | undefined
    readonly stopTokens: ReadonlySet<number>
  },
): readonly LogitsProcessor[] {
  const { processors, constraint, stopTokens } = options
  if (constraint === undefined) return processors
  const vocabulary = outputVocabulary(tokenizerFor(lm, 'constraint'), lm.config.vocab, stopTokens, isContinued)
  return [...processors, { name: constraint.name, follow: () => processorState(constraint.follow(vocabulary)) }]
}

function processorState(state: ConstraintState): ProcessorState {
  return {
    apply: (logits) => state.mask(logits),
    push: (token) => state.push(token),
    pop: () => state.pop(),
    fork: () => processorState(state.fork()),
  }
}
