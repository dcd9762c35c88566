/** The caches whose bytes are a part of a model's memory, without keeping any of them alive. */
import type { KvCache } from '@foretoken/kv-cache'

export class CountedCaches {
  readonly #known = new WeakSet<KvCache>()
  readonly #living = new Set<WeakRef<KvCache>>()

  add(cache: KvCache): void {
    if (this.#known.has(cache)) return
    this.#known.add(cache)
    this.#living.add(new WeakRef(cache))
  }

  get bytes(): number {
    let bytes = 0
    for (const reference of this.#living) {
      const cache = reference.deref()
      if (cache === undefined) this.#living.delete(reference)
      else bytes += cache.bytes
    }
    return bytes
  }
}
