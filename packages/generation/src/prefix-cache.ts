/**
 * Prompt-prefix reuse: a cache that outlives a generation, with the tokens whose rows it holds. The next generation finds the
 * longest prefix that its prompt has in common with them and computes only the rest: the second turn of a chat prefills one
 * message instead of the conversation.
 *
 * One generation at a time writes to it. One that fails or is aborted leaves it as it was: new rows are taken back by truncation,
 * and where old rows had to go first (the prompt diverged), they are only let go of once the generation has succeeded.
 */
import { type KvCache, type KvSnapshot, type LayerShape, restoreKvCache } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError, DisposedError, ShapeError } from '@foretoken/tensor'
import { CacheBusyError } from './errors.ts'
import type { EncodedPrompt } from './prompt.ts'

/** A cache lent to one generation. Exactly one of `keep` and `undo` ends the loan; what follows it does nothing. */
export interface CacheLoan {
  readonly cache: KvCache
  /** Rows of the prompt that need not be computed. */
  readonly reused: number
  /** Keeps the rows, which belong to the first `cache.length` of these tokens. */
  keep(tokens: Int32Array): Promise<void>
  /** Makes the prefix cache what it was before the loan. */
  undo(): Promise<void>
}

/** What a prefix cache holds, as plain data. */
export interface PrefixSnapshot {
  /** [rows] the tokens whose rows are held. */
  readonly tokens: Int32Array
  readonly rows: KvSnapshot
}

export class PrefixCache implements AsyncDisposable {
  readonly #lm: CausalLM
  #cache: KvCache | undefined
  #tokens = new Int32Array(0)
  #isLent = false

  /**
   * A cache for generations of this model, which stays the caller's; dispose of the prefix cache first.
   *
   * @param held  rows to begin with and their tokens, taken over; none when absent
   */
  constructor(lm: CausalLM, held?: { readonly cache: KvCache; readonly tokens: Int32Array }) {
    this.#lm = lm
    this.#cache = held?.cache ?? lm.createCache()
    this.#tokens = Int32Array.from(held?.tokens ?? [])
  }

  /** [rows] the tokens whose rows are held; a copy. */
  get tokens(): Int32Array {
    this.#open()
    return this.#tokens.slice()
  }

  /** Bytes of the rows. */
  get bytes(): number {
    return this.#open().bytes
  }

  /** Whether a generation is writing to it. */
  get isBusy(): boolean {
    return this.#isLent
  }

  /**
   * Lends the cache with the longest common prefix in it. The last token of the prompt is always left to compute: its row gives
   * the logits of the first new token.
   *
   * @throws {CacheBusyError} while another generation has it
   * @throws {ArgumentError} when it was made for another model
   * @throws {DisposedError} after disposal
   */
  lend(lm: CausalLM, prompt: Int32Array): CacheLoan {
    const cache = this.#open()
    if (lm !== this.#lm) {
      throw new ArgumentError({ field: 'cache', found: 'a cache of another model', expected: 'one made for this model' })
    }
    if (this.#isLent) {
      throw new CacheBusyError({ field: 'cache', found: 'a generation that is writing to it', expected: 'one generation at a time' })
    }
    const { ropeSwitch = Number.POSITIVE_INFINITY } = lm.config
    const isOtherRope = cache.length > ropeSwitch !== prompt.length > ropeSwitch
    const common = isOtherRope ? 0 : Math.min(commonPrefix(this.#tokens, prompt), prompt.length - 1)
    // states of recurrent layers go back to some lengths only, and cannot be relied on to come back to this one
    const reused = cache.restorableLength(common)
    const forgetsFreely = cache.recentRows === Number.POSITIVE_INFINITY
    // where the rope may jump on the way, all rows may be computed again
    const mayStartAnew = prompt.length <= ropeSwitch && ropeSwitch !== Number.POSITIVE_INFINITY
    this.#isLent = true
    try {
      return reused === cache.length && !mayStartAnew && forgetsFreely ? this.#lendItself(cache, reused) : this.#lendCopy(cache, reused)
    } catch (error) {
      this.#isLent = false
      throw error
    }
  }

  /** @throws {CacheBusyError} while a generation is writing to it */
  clear(): void {
    this.truncate(0)
  }

  /**
   * Forgets the rows from `length` on.
   *
   * @throws {CacheBusyError} while a generation is writing to it
   * @throws {ArgumentError} when fewer rows are held
   * @throws {CacheStateError} when layers are recurrent and their states at this length are not held
   */
  truncate(length: number): void {
    this.#idle('truncate').truncate(length)
    this.#tokens = this.#tokens.slice(0, length)
  }

  /**
   * An independent prefix cache with the same rows; storage is shared until one of the two writes.
   *
   * @throws {CacheBusyError} while a generation is writing to it
   */
  fork(): PrefixCache {
    return new PrefixCache(this.#lm, { cache: this.#idle('fork').fork(), tokens: this.#tokens })
  }

  /**
   * A copy that can be stored or sent; `restore` makes a prefix cache of it.
   *
   * @throws {CacheBusyError} while a generation is writing to it
   */
  snapshot(): PrefixSnapshot {
    return { rows: this.#idle('snapshot').snapshot(), tokens: this.tokens }
  }

  /**
   * Replaces what is held by the rows of a snapshot of the same model, which are copied.
   *
   * @throws {CacheBusyError} while a generation is writing to it
   * @throws {ShapeError} when the snapshot contradicts itself or the model; what was held is still there
   */
  async restore({ tokens, rows }: PrefixSnapshot): Promise<void> {
    const before = this.#idle('restore')
    if (tokens.length !== rows.positions.length) {
      throw new ShapeError({ field: 'tokens', found: `${tokens.length}`, expected: `${rows.positions.length}, one for each row` })
    }
    this.#cache = await this.#filled(rows)
    this.#tokens = tokens.slice()
    await before[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const cache = this.#cache
    this.#cache = undefined
    await cache?.[Symbol.asyncDispose]()
  }

  async #filled(rows: KvSnapshot): Promise<KvCache> {
    const cache = this.#lm.createCache()
    try {
      const [found, expected] = [rows.layers, cache.layers].map((layers) => JSON.stringify(layers.map(shapeNumbers)))
      if (found !== expected) throw new ShapeError({ field: 'layers', found: `${found}`, expected: `those of the model, ${expected}` })
      // states of recurrent layers cannot be appended: they come with the whole cache
      const restored = rows.recurrent === undefined ? undefined : restoreKvCache(rows)
      if (restored === undefined) cache.append({ steps: rows.positions.length, positions: rows.positions, layers: rows.rows })
      else await cache[Symbol.asyncDispose]()
      return restored ?? cache
    } catch (error) {
      await cache[Symbol.asyncDispose]()
      throw error
    }
  }

  #lendItself(cache: KvCache, reused: number): CacheLoan {
    return this.#loan(
      cache,
      reused,
      async (tokens) => {
        this.#tokens = tokens.slice(0, cache.length)
      },
      async () => cache.truncate(reused),
    )
  }

  #lendCopy(cache: KvCache, reused: number): CacheLoan {
    const copy = reused === 0 ? this.#lm.createCache() : cache.fork()
    copy.truncate(reused)
    return this.#loan(
      copy,
      reused,
      async (tokens) => {
        this.#cache = copy
        this.#tokens = tokens.slice(0, copy.length)
        await cache[Symbol.asyncDispose]()
      },
      async () => {
        await copy[Symbol.asyncDispose]()
      },
    )
  }

  #loan(cache: KvCache, reused: number, keep: (tokens: Int32Array) => Promise<void>, undo: () => Promise<void>): CacheLoan {
    let hasEnded = false
    const end = async (action: () => Promise<void>) => {
      if (hasEnded) return
      hasEnded = true
      this.#isLent = false
      // Disposed of during the loan: there is nothing to give back to.
      if (this.#cache === undefined) await cache[Symbol.asyncDispose]()
      else await action()
    }
    return { cache, reused, keep: (tokens) => end(() => keep(tokens)), undo: () => end(undo) }
  }

  #idle(field: string): KvCache {
    const cache = this.#open()
    if (this.#isLent) throw new CacheBusyError({ field, found: 'a generation that is writing to it', expected: 'none' })
    return cache
  }

  #open(): KvCache {
    if (this.#cache === undefined) {
      throw new DisposedError({ field: 'prefix cache', found: 'a disposed cache', expected: 'one that is open' })
    }
    return this.#cache
  }
}

/** The caller's cache, or one that lives for one generation. */
export function lendCache(lm: CausalLM, prompt: EncodedPrompt, prefixCache?: PrefixCache): CacheLoan {
  if (prefixCache !== undefined) return prefixCache.lend(lm, prompt.tokens)
  const cache = lm.createCache()
  const end = async () => {
    await cache[Symbol.asyncDispose]()
  }
  return { cache, reused: 0, keep: end, undo: end }
}

function shapeNumbers({ kvHeads, keyDim, valueDim, recurrent }: LayerShape): readonly number[] {
  const { inputWidth = 0, window = 0, stateSize = 0 } = recurrent ?? {}
  return [kvHeads, keyDim, valueDim, inputWidth, window, stateSize]
}

function commonPrefix(a: Int32Array, b: Int32Array): number {
  const limit = Math.min(a.length, b.length)
  let length = 0
  while (length < limit && a[length] === b[length]) length++
  return length
}
