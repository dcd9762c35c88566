/** A model that shows the caches it has made, and which of them are open. */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'

export interface WatchedModel extends CausalLM {
  /** Caches that were made and not disposed of. */
  readonly open: Set<KvCache>
}

/** @param onStep  runs before each step */
export function watchedModel(lm: CausalLM, onStep: (step: number) => void = () => undefined): WatchedModel {
  const open = new Set<KvCache>()
  let steps = 0
  return {
    config: lm.config,
    capabilities: lm.capabilities,
    plan: lm.plan,
    ...(lm.tokenizer === undefined ? {} : { tokenizer: lm.tokenizer }),
    generationDefaults: lm.generationDefaults,
    open,
    createCache() {
      const cache = lm.createCache()
      const dispose = cache[Symbol.asyncDispose].bind(cache)
      cache[Symbol.asyncDispose] = async () => {
        open.delete(cache)
        await dispose()
      }
      open.add(cache)
      return cache
    },
    async forward(step) {
      onStep(++steps)
      return lm.forward(step)
    },
    forwardBatch: (all) => lm.forwardBatch(all),
    maxSteps: (cache) => lm.maxSteps(cache),
    memory: () => lm.memory(),
    async [Symbol.asyncDispose]() {},
  }
}
