/** The conversations of a model, by number. */
import { PrefixCache } from '@foretoken/generation'
import { CacheStateError } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { DisposedError, ShapeError } from '@foretoken/tensor'
import { SnapshotError } from '../errors.ts'
import { modelKey, snapshotFromBytes, snapshotToBytes } from './snapshot-bytes.ts'

export class HostedConversations implements AsyncDisposable {
  readonly #lm: CausalLM
  readonly #open = new Map<number, PrefixCache>()
  #nextNumber = 1

  constructor(lm: CausalLM) {
    this.#lm = lm
  }

  open(): number {
    return this.#add(new PrefixCache(this.#lm))
  }

  fork(number: number): number {
    return this.#add(this.of(number).fork())
  }

  snapshot(number: number): Uint8Array<ArrayBuffer> {
    return snapshotToBytes(this.of(number).snapshot(), modelKey(this.#lm))
  }

  async restore(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const snapshot = snapshotFromBytes(bytes, modelKey(this.#lm))
    const cache = new PrefixCache(this.#lm)
    try {
      await cache.restore(snapshot)
    } catch (error) {
      await cache[Symbol.asyncDispose]()
      if (!(error instanceof ShapeError)) throw error
      throw new SnapshotError({ ...error.where, found: error.found, expected: error.expected }, { cause: error })
    }
    return this.#add(cache)
  }

  /** Takes back rows of tokens that a reader has not seen, as far as states of recurrent layers allow. */
  trim(number: number, length: number): void {
    const cache = this.#open.get(number)
    if (cache === undefined || cache.isBusy || cache.tokens.length <= length) return
    try {
      cache.truncate(length)
    } catch (error) {
      if (!(error instanceof CacheStateError)) throw error
    }
  }

  /** @throws {DisposedError} */
  of(number: number): PrefixCache {
    const cache = this.#open.get(number)
    if (cache === undefined)
      throw new DisposedError({ field: 'conversation', found: 'one that was disposed of', expected: 'one that is open' })
    return cache
  }

  async forget(number: number): Promise<void> {
    const cache = this.#open.get(number)
    this.#open.delete(number)
    await cache?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const number of [...this.#open.keys()]) await this.forget(number)
  }

  #add(cache: PrefixCache): number {
    const number = this.#nextNumber++
    this.#open.set(number, cache)
    return number
  }
}
