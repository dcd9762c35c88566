import type { CausalLM } from '@foretoken/models'
import type { LogitsProcessor, ProcessorState } from '../logits-processor.ts'
import type { EncodedPrompt } from '../prompt.ts'
import { tokenizerFor } from '../prompt.ts'
import type { Constraint, ConstraintState } from './constraint.ts'
import { outputVocabulary } from './output-vocabulary.ts'

interface ConstrainedOptions {
  readonly processors: readonly LogitsProcessor[]
  readonly constraint: Constraint | undefined
  readonly stopTokens: ReadonlySet<number>
}

/** Begins to follow an output with its constraint; undefined where there is none. */
export function constraintStart(
  lm: CausalLM,
  { isContinued }: EncodedPrompt,
  { constraint, stopTokens }: ConstrainedOptions,
): (() => ConstraintState) | undefined {
  if (constraint === undefined) return undefined
  const vocabulary = outputVocabulary(tokenizerFor(lm, 'constraint'), lm.config.vocab, stopTokens, isContinued)
  return () => constraint.follow(vocabulary)
}

/** What the processors of one output are: those of the options, and after all of them its constraint. */
export function processorsFor(lm: CausalLM, prompt: EncodedPrompt, options: ConstrainedOptions): readonly LogitsProcessor[] {
  const start = constraintStart(lm, prompt, options)
  if (start === undefined) return options.processors
  return [...options.processors, { name: options.constraint?.name ?? 'constraint', follow: () => processorState(start()) }]
}

function processorState(state: ConstraintState): ProcessorState {
  return {
    apply: (logits) => state.mask(logits),
    push: (token) => state.push(token),
    pop: () => state.pop(),
    fork: () => processorState(state.fork()),
  }
}
