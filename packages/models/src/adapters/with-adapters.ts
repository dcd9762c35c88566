import type { CausalLM, DecodeStep } from '../causal-lm.ts'

/**
 * A view of a model in whose steps the runtime adapters have these scales: for generation, which makes the steps itself. Several views
 * of one model may be used side by side, each with caches of its own; disposing of a view leaves the model open.
 *
 * @param scales  by the adapters' names; those that are not named keep the scale that they were loaded with, 0 switches one off
 */
export function withAdapters(lm: CausalLM, scales: Readonly<Record<string, number>>): CausalLM {
  const scaled = (step: DecodeStep): DecodeStep => ({ ...step, adapters: { ...scales, ...step.adapters } })
  return {
    config: lm.config,
    capabilities: lm.capabilities,
    plan: lm.plan,
    ...(lm.tokenizer === undefined ? {} : { tokenizer: lm.tokenizer }),
    generationDefaults: lm.generationDefaults,
    createCache: () => lm.createCache(),
    forward: (step) => lm.forward(scaled(step)),
    forwardBatch: (steps) => lm.forwardBatch(steps.map(scaled)),
    maxSteps: (cache) => lm.maxSteps(cache),
    memory: () => lm.memory(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
