/**
 * A model whose logits are a hash of the last tokens, which it reads from the cache: a wrong row, position or branch changes its output. A short memory and
 * a small vocabulary make it repeat itself, so that drafts are accepted now and then.
 */
import { createKvCache, type KvCache } from '@foretoken/kv-cache'
import type { CausalLM, DecodeStep, StepResult, StepTime } from '@foretoken/models'
import type { Tokenizer } from '@foretoken/tokenizers'

export interface HashModelOptions {
  readonly vocab: number
  /** Instead of a hash: [vocab] logits after these tokens. */
  readonly logits?: (context: readonly number[]) => readonly number[]
  readonly tokenizer?: Tokenizer
  /** Tokens that the logits depend on. Default 2. */
  readonly memory?: number
  readonly stepTimes?: readonly StepTime[]
  readonly treeVisibility?: boolean
}

export interface HashModel extends CausalLM {
  /** Rows of each step so far. */
  readonly steps: number[]
}

export function hashModel({ vocab, memory = 2, stepTimes, treeVisibility = true, logits, tokenizer }: HashModelOptions): HashModel {
  const steps: number[] = []
  const forward = async ({ cache, tokens, visibility, positions, want }: DecodeStep): Promise<StepResult> => {
    steps.push(tokens.length)
    const parents = visibility?.kind === 'tree' ? visibility.parents : Int32Array.from(tokens, (_, i) => i - 1)
    const past = tokensIn(cache)
    const branches: number[][] = []
    for (const [i, token] of tokens.entries()) branches.push([...(branches[parents[i] ?? -1] ?? past), token])
    const at = Int32Array.from(branches, ({ length }) => length - 1)
    if (positions !== undefined && !positions.every((position, i) => position === at[i]))
      throw new Error('a row of a step has a wrong position')
    const wanted = want.logits === 'all' ? branches : want.logits instanceof Int32Array ? chosen(branches, want.logits) : branches.slice(-1)
    const data = Float32Array.from(wanted.flatMap((branch) => logits?.(branch) ?? logitsAfter(branch.slice(-memory), vocab)))
    return {
      logits: { type: 'float32', dims: [wanted.length, vocab], data, location: 'cpu', size: data.length },
      rows: {
        steps: tokens.length,
        positions: at,
        past: cache.length,
        layers: [{ keys: Float32Array.from(tokens), values: Float32Array.from(at) }],
      },
      elapsedMs: 1,
    }
  }
  return {
    config: {
      modelType: 'fake',
      layers: 1,
      hidden: 1,
      heads: 1,
      kvHeads: 1,
      headDim: 1,
      vocab,
      maxPositions: 4096,
      tiedEmbeddings: false,
    },
    capabilities: { treeVisibility, embeddingsInput: false, hiddenStates: false, attentionScores: false, topK: false },
    plan: {
      runtime: 'fake',
      provider: 'cpu',
      threads: 1,
      formats: {},
      exact: true,
      notes: [],
      ...(stepTimes === undefined ? {} : { stepTimes }),
    },
    generationDefaults: { endOfText: [] },
    ...(tokenizer === undefined ? {} : { tokenizer }),
    steps,
    createCache: () => createKvCache([{ kvHeads: 1, keyDim: 1, valueDim: 1 }]),
    forward,
    forwardBatch: (all) => Promise.all(all.map(forward)),
    maxSteps: (cache) => 256 - (cache.length % 256),
    memory: () => ({ weightsBytes: 0, graphBytes: 0, cacheBytes: 0 }),
    async [Symbol.asyncDispose]() {},
  }
}

function chosen(branches: readonly number[][], rows: Int32Array): number[][] {
  return Array.from(rows, (row) => branches[row] ?? [])
}

/** The tokens whose rows a cache holds. */
function tokensIn(cache: KvCache): number[] {
  const { keys, values } = cache.view(0)
  if (!values.every((position, i) => position === i)) throw new Error('a row of the cache has a wrong position')
  return Array.from(keys)
}

function logitsAfter(context: readonly number[], vocab: number): number[] {
  const hash = context.reduce((sum, token) => Math.imul(sum ^ (token + 1), 16777619), 2166136261)
  return Array.from({ length: vocab }, (_, token) => {
    let x = Math.imul(hash ^ Math.imul(token + 1, 0x9e3779b1), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return (((x ^ (x >>> 16)) >>> 0) / 4294967296) * 8
  })
}
