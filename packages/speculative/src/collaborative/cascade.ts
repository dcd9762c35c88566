/**
 * A cascade of two models (FS-GEN, Zhang et al. 2024): the small one writes, and the large one is asked only where the small one is unsure, which is at few
 * tokens. When it is asked it first reads everything since it was last asked, in one step. NOT lossless: where the small model is sure, it is believed.
 * What FS-GEN calls speculative, the same pair without loss, is `draftModel(small)` for the large one.
 */
import type { CausalLM, DecodeStep, StepResult } from '@foretoken/models'
import { ArgumentError, tensor } from '@foretoken/tensor'
import { checkProbability } from '../draft-chain.ts'
import { sharedVocabulary } from '../shared-vocabulary.ts'
import { CascadeCache, type TokenRows } from './cascade-cache.ts'
import { type CombinationRule, requireWholeHead } from './joined-model.ts'

/** When the large model is asked. */
export type Consultation =
  /** The highest probability of the small model is below this; 0 to 1. */
  | { readonly kind: 'confidence'; readonly below: number }
  /** The highest probability is ahead of the second by less than this; 0 to 1. */
  | { readonly kind: 'margin'; readonly below: number }
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }

export interface CascadeOptions {
  readonly small: CausalLM
  readonly large: CausalLM
  /** Default: a confidence below 0.5. */
  readonly consult?: Consultation
  /** What becomes of the two rows, the large model's first. Default: the large model's. */
  readonly combine?: CombinationRule
}

export interface CascadeReport {
  /** Rows of logits that were asked for. */
  readonly tokens: number
  /** Those of them for which the large model was asked. */
  readonly consulted: number
}

export interface Cascade extends CausalLM {
  /** Since the cascade was made, over all outputs. */
  report(): CascadeReport
}

/**
 * Takes steps that want the logits of their last row or none, one sequence at a time or several; drafts, trees and beams are not for it.
 *
 * @returns neither model's output; both stay the caller's
 * @throws {ArgumentError} for a number outside of its range
 * @throws {VocabularyError} when ids mean other tokens to the two
 */
export function lossyCascade({ small, large, consult = { kind: 'confidence', below: 0.5 }, combine }: CascadeOptions): Cascade {
  if (consult.kind === 'confidence' || consult.kind === 'margin') checkProbability('consult.below', consult.below)
  const vocab = sharedVocabulary(large, small)
  for (const each of [small, large]) requireWholeHead(each)
  let [tokens, consulted] = [0, 0]
  const forward = async (step: DecodeStep): Promise<StepResult> => {
    const { cache, ids, wantsLogits } = requireChain(step)
    const { signal } = step
    const start = performance.now()
    const result = await small.forward({ ...step, cache: cache.small })
    const rows: TokenRows = { ...result.rows, tokens: ids }
    const own = result.logits?.data.subarray(0, vocab)
    if (!wantsLogits || own === undefined) return { rows, elapsedMs: performance.now() - start }
    tokens++
    const out = new Float32Array(vocab)
    if (isUnsure(own, consult)) {
      consulted++
      const other = (await cache.largeRows.follow(Int32Array.from([...cache.tokens, ...ids]), signal)).subarray(0, vocab)
      if (combine === undefined) out.set(other)
      else combine([other, own], out)
    } else out.set(own)
    return { rows, logits: tensor('float32', [1, vocab], out), elapsedMs: performance.now() - start }
  }
  return {
    config: { ...small.config, vocab, maxPositions: Math.min(small.config.maxPositions, large.config.maxPositions) },
    capabilities: {
      treeVisibility: false,
      blockVisibility: false,
      embeddingsInput: false,
      hiddenStates: false,
      attentionScores: false,
      topK: false,
    },
    plan: {
      ...small.plan,
      exact: false,
      notes: ['a cascade of two models: the output is that of neither', 'not exact: what the large model is asked depends on the steps'],
    },
    ...(small.tokenizer === undefined ? {} : { tokenizer: small.tokenizer }),
    generationDefaults: small.generationDefaults,
    report: () => ({ tokens, consulted }),
    createCache: () => new CascadeCache(small.createCache(), large),
    forward,
    async forwardBatch(steps) {
      const results: StepResult[] = []
      for (const step of steps) results.push(await forward(step))
      return results
    },
    maxSteps: (cache) => small.maxSteps(cache instanceof CascadeCache ? cache.small : cache),
    memory() {
      const [a, b] = [small.memory(), large.memory()]
      return {
        weightsBytes: a.weightsBytes + b.weightsBytes,
        graphBytes: a.graphBytes + b.graphBytes,
        cacheBytes: a.cacheBytes + b.cacheBytes,
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

function requireChain(step: DecodeStep): { readonly cache: CascadeCache; readonly ids: Int32Array; readonly wantsLogits: boolean } {
  const { cache, tokens, visibility, want } = step
  const refuse = (field: string, found: string, expected: string): never => {
    throw new ArgumentError({ field: `cascade, ${field}`, found, expected })
  }
  if (!(cache instanceof CascadeCache)) return refuse('cache', 'a cache of another model', 'one that createCache of the cascade gave')
  if (tokens instanceof Float32Array) return refuse('tokens', 'embeddings', 'ids')
  if (visibility !== undefined && visibility.kind !== 'causal') refuse('visibility', visibility.kind, 'causal')
  const { logits, ...others } = want
  if (logits !== undefined && logits !== 'last' && !(tokens.length === 1 && logits === 'all')) {
    refuse('want.logits', String(logits), "'last' or none")
  }
  const other = Object.entries(others).find(([, value]) => value !== undefined)
  if (other !== undefined) refuse(`want.${other[0]}`, String(other[1]), 'logits alone')
  return { cache, ids: Int32Array.from(tokens), wantsLogits: logits !== undefined }
}

function isUnsure(logits: Float32Array, consult: Consultation): boolean {
  if (consult.kind === 'always' || consult.kind === 'never') return consult.kind === 'always'
  let [best, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const logit of logits) {
    if (logit > best) {
      second = best
      best = logit
    } else if (logit > second) second = logit
  }
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - best)
  const behind = consult.kind === 'confidence' ? 0 : Math.exp(second - best)
  return (1 - behind) / sum < consult.below
}
