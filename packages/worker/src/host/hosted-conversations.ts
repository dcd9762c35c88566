/** The conversations of a model, by number. */
import { PrefixCache, type PrefixSnapshot } from '@foretoken/generation'
import { CacheStateError } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError, DisposedError, ShapeError } from '@foretoken/tensor'
import { SnapshotError } from '../errors.ts'
import { modelKey, snapshotFromBytes, snapshotToBytes } from './snapshot-bytes.ts'

/** Of the squared norm: 3 % of the norm. Other rounding stays far below, other weights far above. */
const MOST_DIFFERENCE = 1e-3

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
      await this.#requireOwnRows(snapshot)
    } catch (error) {
      await cache[Symbol.asyncDispose]()
      if (!(error instanceof ShapeError || error instanceof ArgumentError)) throw error
      throw new SnapshotError({ ...error.where, found: error.found, expected: error.expected }, { cause: error })
    }
    return this.#add(cache)
  }

  /** Models of one shape differ in their weights: the first row is computed again and compared, as far as runtimes round alike. */
  async #requireOwnRows({ tokens, rows: { rows } }: PrefixSnapshot): Promise<void> {
    const [token] = tokens
    if (token === undefined) return
    await using cache = this.#lm.createCache()
    const step = { tokens: Int32Array.of(token), cache, want: {}, sequenceLength: tokens.length }
    const { layers } = (await this.#lm.forward(step)).rows
    let [difference, norm] = [0, 0]
    for (const [layer, { keys, values }] of layers.entries()) {
      for (const [own, given] of [
        [keys, rows[layer]?.keys],
        [values, rows[layer]?.values],
      ] as const) {
        for (let i = 0; i < own.length; i++) {
          difference += ((own[i] ?? 0) - (given?.[i] ?? 0)) ** 2
          norm += (own[i] ?? 0) ** 2
        }
      }
    }
    if (difference <= MOST_DIFFERENCE * norm) return
    const found = `rows that differ by ${Math.round(100 * Math.sqrt(difference / norm))} % from this model's`
    throw new SnapshotError({ field: 'snapshot', found, expected: 'rows of the same weights' })
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
