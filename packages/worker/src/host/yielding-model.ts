/**
 * The model with a turn of the event loop before every step. onnxruntime-web runs in microtasks, one step after the other: without a turn the worker
 * reads an abort when the generation is over. A turn costs some microseconds.
 */
import type { CausalLM } from '@foretoken/models'

export function yieldingModel(lm: CausalLM, nextTurn: () => Promise<void>): CausalLM {
  return {
    config: lm.config,
    capabilities: lm.capabilities,
    plan: lm.plan,
    ...(lm.tokenizer === undefined ? {} : { tokenizer: lm.tokenizer }),
    generationDefaults: lm.generationDefaults,
    createCache: () => lm.createCache(),
    async forward(step) {
      await nextTurn()
      step.signal?.throwIfAborted()
      return lm.forward(step)
    },
    async forwardBatch(steps) {
      await nextTurn()
      for (const { signal } of steps) signal?.throwIfAborted()
      return lm.forwardBatch(steps)
    },
    maxSteps: (cache) => lm.maxSteps(cache),
    memory: () => lm.memory(),
    [Symbol.asyncDispose]: () => lm[Symbol.asyncDispose](),
  }
}
