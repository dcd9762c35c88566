/**
 * The rows of a second model beside an output. It is told all tokens each time, goes back to what they have in common with those it holds rows of,
 * and computes the rest. So of a draft that was accepted the rows are there, of one that was refused they are gone, and steps that were taken
 * without it are made up for; nobody has to tell it what became of a draft. Comparing the tokens takes microseconds.
 *
 * Rows may be borrowed: the first layers of a model have the same rows whether the others follow or not, so a draft of such layers copies what its
 * target has computed, the whole prompt among it, and computes rows of drafted tokens alone.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'

/** Most rows of a step. */
const CHUNK = 256

export interface DraftRowsOptions {
  /** Tokens of the prompt, for ropes that depend on its length. */
  readonly promptLength: number
  /** A cache whose first layers have the rows of this model. Read only. */
  readonly lent?: KvCache | undefined
  readonly signal?: AbortSignal | undefined
}

export class DraftRows implements AsyncDisposable {
  readonly #lm: CausalLM
  readonly #options: DraftRowsOptions
  readonly #tokens: number[] = []
  #cache: KvCache | undefined
  /** Length of the sequence that the first rows are computed for. */
  #filledLength: number
  #isDisposed = false

  constructor(lm: CausalLM, options: DraftRowsOptions) {
    this.#lm = lm
    this.#options = options
    this.#filledLength = options.promptLength
  }

  /** Undefined before the first row. */
  get cache(): KvCache | undefined {
    return this.#cache
  }

  /** How many further rows the model is asked for at once, so that they are the bits of single ones. */
  get most(): number {
    return this.#cache === undefined ? CHUNK : this.#lm.maxSteps(this.#cache)
  }

  /**
   * Holds rows of these tokens and no others.
   *
   * @param tokens  [tokens] at least one
   * @param signal  instead of the one of the options
   * @returns       [vocab] logits after the last one; valid until the model's next step
   */
  async follow(tokens: Int32Array, signal = this.#options.signal): Promise<Float32Array> {
    if (tokens.length === 0) throw new ArgumentError({ field: 'tokens', found: 'none', expected: 'at least one' })
    const cache = this.#open()
    this.#goBack(cache, tokens)
    this.#borrow(cache, tokens)
    for (;;) {
      const from = cache.length
      const to = from + this.#nextRows(cache, tokens.length - from)
      const logits = await this.#compute(cache, tokens.slice(from, to), to === tokens.length, signal)
      if (to === tokens.length) return logits
    }
  }

  /** One token more. @returns [vocab] logits after it; valid until the model's next step */
  async extend(token: number): Promise<Float32Array> {
    return this.#compute(this.#open(), Int32Array.of(token), true, this.#options.signal)
  }

  /**
   * Logits of a tree below the last row. Its rows are not kept: a cache has no branches.
   *
   * @param tokens   [nodes] ids
   * @param parents  [nodes] index of the parent, -1 below the last row; parents come first
   * @param wanted   [wanted] ascending nodes whose logits are returned
   * @returns        [wanted, vocab]; valid until the model's next step
   */
  async branch(tokens: Int32Array, parents: Int32Array, wanted: Int32Array): Promise<Float32Array> {
    const cache = this.#open()
    const { nextPosition } = cache
    const positions = new Int32Array(tokens.length)
    for (const [node, parent] of parents.entries()) positions[node] = parent < 0 ? nextPosition : (positions[parent] ?? 0) + 1
    const isChain = parents.every((parent, node) => parent === node - 1)
    const { signal } = this.#options
    const result = await this.#lm.forward({
      tokens,
      positions,
      cache,
      want: { logits: wanted },
      ...(isChain ? {} : { visibility: { kind: 'tree', parents } }),
      ...(signal === undefined ? {} : { signal }),
    })
    signal?.throwIfAborted()
    return result.logits?.data ?? NOTHING
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const cache = this.#cache
    this.#cache = undefined
    this.#isDisposed = true
    await cache?.[Symbol.asyncDispose]()
  }

  #open(): KvCache {
    if (this.#isDisposed) throw new ArgumentError({ field: 'draft rows', found: 'a generation that has ended', expected: 'one at work' })
    this.#cache ??= this.#lm.createCache()
    return this.#cache
  }

  /** The last token's row is computed again in any case: its logits are wanted. */
  #goBack(cache: KvCache, tokens: Int32Array): void {
    const { ropeSwitch = Number.POSITIVE_INFINITY } = this.#lm.config
    let common = 0
    // rows of another rope are of no use to a longer sequence
    if (this.#filledLength <= ropeSwitch && tokens.length > ropeSwitch) this.#filledLength = tokens.length
    else while (common < tokens.length - 1 && this.#tokens[common] === tokens[common]) common++
    cache.truncate(cache.restorableLength(Math.min(common, cache.length)))
    this.#tokens.length = cache.length
  }

  #borrow(cache: KvCache, tokens: Int32Array): void {
    const { lent } = this.#options
    const from = cache.length
    const to = Math.min(lent?.length ?? 0, tokens.length - 1)
    if (lent === undefined || from >= to) return
    const positions = lent.positions.slice(from, to)
    cache.append({ steps: to - from, positions, past: from, layers: cache.layers.map((_, layer) => lent.view(layer, from, to)) })
    for (const token of tokens.subarray(from, to)) this.#tokens.push(token)
  }

  #nextRows(cache: KvCache, left: number): number {
    const rows = Math.max(1, Math.min(left, CHUNK, this.#lm.maxSteps(cache)))
    // recurrent layers forget only the rows of short steps one by one
    return rows === left && left > cache.recentRows ? left - cache.recentRows : rows
  }

  async #compute(cache: KvCache, tokens: Int32Array, wantsLogits: boolean, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { promptLength } = this.#options
    signal?.throwIfAborted()
    const isPrompt = cache.length < Math.max(promptLength, this.#filledLength)
    const result = await this.#lm.forward({
      tokens,
      cache,
      want: wantsLogits ? { logits: 'last' } : {},
      ...(isPrompt ? { sequenceLength: this.#filledLength } : {}),
      ...(signal === undefined ? {} : { signal }),
    })
    signal?.throwIfAborted()
    cache.append(result.rows)
    for (const token of tokens) this.#tokens.push(token)
    return result.logits?.data ?? NOTHING
  }
}

const NOTHING = new Float32Array(0)
