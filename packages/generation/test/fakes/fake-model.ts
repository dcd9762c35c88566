/**
 * Models with a known answer. The logits of a row are a given function of the tokens before the next one, and those tokens are
 * read from the cache: a row keeps its token id as key and its position as value. So a cache that lost a row, kept a wrong one
 * or has a wrong position changes the logits, and tests can read which tokens a cache holds.
 */
import { createKvCache, type KvCache, type LayerRows } from '@foretoken/kv-cache'
import type { CausalLM, DecodeStep, StepResult, StepTime } from '@foretoken/models'
import type { Tokenizer } from '@foretoken/tokenizers'

export interface FakeModel extends CausalLM {
  /** Rows of each step so far; of a batch, one entry per sequence. */
  readonly steps: number[]
  /** `sequenceLength` of each step so far. */
  readonly sequenceLengths: (number | undefined)[]
  /** Number of calls of `forward` and `forwardBatch`. */
  calls: number
  /** Caches that were made and not disposed of. */
  readonly openCaches: Set<KvCache>
  /** What a step gives after these tokens. */
  readonly logitsAfter: (context: readonly number[]) => ArrayLike<number>
}

export interface FakeModelOptions {
  readonly vocab: number
  /** [vocab] the logits after these tokens. */
  readonly logits: (context: readonly number[]) => ArrayLike<number>
  /** Instead of `logits` where only the last row is wanted: the row itself, which is not copied. */
  readonly row?: (length: number) => Float32Array
  readonly maxPositions?: number
  /** A step does not cross multiples of this. Default 256. */
  readonly cut?: number
  readonly endOfText?: readonly number[]
  readonly tokenizer?: Tokenizer
  /** Whether a second layer carries a state, which each step checks against the tokens that the cache holds. */
  readonly isRecurrent?: boolean
  /** Whether rows are said to be the same alone and together. Default true. */
  readonly isExact?: boolean
  /** Whether rows can branch. Default true, false for recurrent models. */
  readonly treeVisibility?: boolean
  readonly stepTimes?: readonly StepTime[]
  /** Runs in each step, before its result is made. */
  readonly onStep?: (call: number) => void | Promise<void>
}

const LAYERS = [{ kvHeads: 1, keyDim: 1, valueDim: 1 }]
const STATE_LAYER = { kvHeads: 0, keyDim: 0, valueDim: 0, recurrent: { inputWidth: 1, window: 0, stateSize: 1 } }

/** A state that shows each token and its place, in whole numbers that float32 holds. */
const stateAfter = (state: number, token: number) => (state * 31 + token + 1) % 65_521

export function fakeModel(options: FakeModelOptions): FakeModel {
  const { vocab, maxPositions = 4096, cut = 256, endOfText = [], tokenizer } = options
  const openCaches = new Set<KvCache>()
  const compute = (step: DecodeStep): StepResult => {
    const { cache, tokens, want } = step
    if (tokens.length === 0) throw new Error('a step without rows')
    if (tokens.length > cut - (cache.length % cut)) throw new Error(`${tokens.length} rows after ${cache.length} cross a cut at ${cut}`)
    model.steps.push(tokens.length)
    model.sequenceLengths.push(step.sequenceLength)
    const context = tokensIn(cache)
    const state = options.isRecurrent ? [recurrentRows(cache, context, tokens)] : []
    const rows: ArrayLike<number>[] = []
    const parents = step.visibility?.kind === 'tree' ? step.visibility.parents : Int32Array.from(tokens, (_, i) => i - 1)
    const branches: number[][] = []
    for (const [i, token] of tokens.entries()) {
      const branch = [...(branches[parents[i] ?? -1] ?? context), token]
      branches.push(branch)
      rows.push(want.logits === undefined || options.row !== undefined ? [] : options.logits(branch))
    }
    if (branches.some(({ length }) => length > maxPositions)) throw new Error('a row beyond the last position')
    const positions = step.positions ?? Int32Array.from(tokens, (_, i) => cache.nextPosition + i)
    for (const [i, position] of positions.entries())
      if (position !== (branches[i]?.length ?? 0) - 1) throw new Error(`row ${i} of a step has position ${position}`)
    const wanted = want.logits === 'all' ? rows : rows.slice(-1)
    const data = options.row?.(context.length + tokens.length) ?? Float32Array.from(wanted.flatMap((row) => Array.from(row)))
    return {
      ...(want.logits === undefined
        ? {}
        : { logits: { type: 'float32', dims: [wanted.length, vocab], data, location: 'cpu', size: data.length } }),
      rows: {
        steps: tokens.length,
        positions,
        past: cache.length,
        layers: [{ keys: Float32Array.from(tokens), values: Float32Array.from(positions) }, ...state],
      },
      elapsedMs: 1,
    }
  }
  const model: FakeModel = {
    config: {
      modelType: 'fake',
      layers: 1,
      hidden: 1,
      heads: 1,
      kvHeads: 1,
      headDim: 1,
      vocab,
      maxPositions,
      tiedEmbeddings: false,
    },
    capabilities: {
      treeVisibility: options.treeVisibility ?? !options.isRecurrent,
      embeddingsInput: false,
      hiddenStates: false,
      attentionScores: false,
      topK: false,
    },
    plan: {
      runtime: 'fake',
      provider: 'cpu',
      threads: 1,
      formats: {},
      exact: options.isExact ?? true,
      notes: [],
      ...(options.stepTimes === undefined ? {} : { stepTimes: options.stepTimes }),
    },
    generationDefaults: { endOfText },
    ...(tokenizer === undefined ? {} : { tokenizer }),
    steps: [],
    sequenceLengths: [],
    calls: 0,
    openCaches,
    logitsAfter: options.logits,
    createCache: () => tracked(createKvCache(options.isRecurrent ? [...LAYERS, STATE_LAYER] : LAYERS), openCaches),
    async forward(step) {
      step.signal?.throwIfAborted()
      model.calls++
      await options.onStep?.(model.calls)
      return compute(step)
    },
    async forwardBatch(steps) {
      model.calls++
      await options.onStep?.(model.calls)
      return steps.map(compute)
    },
    maxSteps: (cache) => cut - (cache.length % cut),
    memory: () => ({ weightsBytes: 0, graphBytes: 0, cacheBytes: 0 }),
    async [Symbol.asyncDispose]() {},
  }
  return model
}

function recurrentRows(cache: KvCache, context: readonly number[], tokens: ArrayLike<number>): LayerRows {
  const { state, inputs } = cache.recurrentView(1)
  const before = inputs.reduce(stateAfter, state[0] ?? 0)
  const expected = context.reduce(stateAfter, 0)
  if (before !== expected) throw new Error(`state ${before} after ${context.length} rows, whose state is ${expected}`)
  const after = Array.from(tokens).reduce(stateAfter, before)
  const none = new Float32Array(0)
  return {
    keys: none,
    values: none,
    recurrent: { inputs: Float32Array.from(tokens), stateBefore: Float32Array.of(before), stateAfter: Float32Array.of(after) },
  }
}

/** The tokens whose rows a cache of a fake model holds. */
export function tokensIn(cache: KvCache): number[] {
  const { keys, values } = cache.view(0)
  values.forEach((position, i) => {
    if (position !== i || cache.positions[i] !== i) throw new Error(`row ${i} has position ${position}`)
  })
  return Array.from(keys)
}

/** Always predicts the token after the last one, modulo the vocabulary, with a margin of 10. */
export function countingModel(options: Omit<FakeModelOptions, 'logits'>): FakeModel {
  const { vocab } = options
  return fakeModel({ ...options, logits: (context) => oneHot(vocab, ((context.at(-1) ?? 0) + 1) % vocab) })
}

/** Every token is equally likely. */
export function uniformModel(options: Omit<FakeModelOptions, 'logits'>): FakeModel {
  return fakeModel({ ...options, logits: () => new Float32Array(options.vocab) })
}

/** Predicts this output after a prompt of the given length, then `end` for ever. */
export function scriptedModel(
  options: Omit<FakeModelOptions, 'logits'> & { readonly promptLength: number; readonly output: readonly number[]; readonly end?: number },
): FakeModel {
  const { vocab, promptLength, output, end = 0 } = options
  return fakeModel({ ...options, logits: (context) => oneHot(vocab, output[context.length - promptLength] ?? end) })
}

/** Logits that look arbitrary and depend on every token of the context and on its order, or on the last `memory` tokens alone. */
export function hashModel(options: Omit<FakeModelOptions, 'logits'> & { readonly spread?: number; readonly memory?: number }): FakeModel {
  const { vocab, spread = 6, memory = Number.POSITIVE_INFINITY } = options
  return fakeModel({
    ...options,
    logits(context) {
      let hash = 2166136261
      for (const token of context.slice(-memory)) hash = Math.imul(hash ^ (token + 1), 16777619)
      return Float32Array.from({ length: vocab }, (_, token) => {
        let x = Math.imul(hash ^ Math.imul(token + 1, 0x9e3779b1), 0x85ebca6b)
        x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
        return (((x ^ (x >>> 16)) >>> 0) / 4294967296) * spread
      })
    },
  })
}

export function oneHot(vocab: number, token: number): Float32Array {
  const row = new Float32Array(vocab)
  row[token] = 10
  return row
}

/** The same cache, which leaves `open` when it is disposed of; so do its forks. */
function tracked(cache: KvCache, open: Set<KvCache>): KvCache {
  const proxy: KvCache = new Proxy(cache, {
    get(target, key) {
      if (key === 'fork') return () => tracked(target.fork(), open)
      if (key === Symbol.asyncDispose) {
        return async () => {
          open.delete(proxy)
          await target[Symbol.asyncDispose]()
        }
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  open.add(proxy)
  return proxy
}
