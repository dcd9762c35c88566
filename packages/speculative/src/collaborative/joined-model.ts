/**
 * Several models as one, whose logits are made of theirs by a rule: the frame of fast and slow generating (FS-GEN, Zhang et al. 2024) for rules that ask every
 * model at every token. Because the result is a `CausalLM` with a cache of its own, everything that generates works on it: sampling, constraints, beams,
 * batches, and drafts, which are lossless with respect to the combination.
 *
 * NOT lossless: the output is that of the combination, and of none of the models.
 */
import type { CausalLM, DecodeStep, StepResult } from '@foretoken/models'
import { ArgumentError, tensor } from '@foretoken/tensor'
import { ModelPairError } from '../errors.ts'
import { sharedVocabulary } from '../shared-vocabulary.ts'
import { JoinedCache } from './joined-cache.ts'

/**
 * Writes the logits of one row; -Infinity forbids a token.
 *
 * @param rows  [models][vocab] the logits of each model, of ids that all of them know
 * @param out   [vocab]
 */
export type CombinationRule = (rows: readonly Float32Array[], out: Float32Array) => void

/**
 * @param models  the first one gives tokenizer and defaults; all stay the caller's, and are not disposed of with the result
 * @param name    of the rule, for the plan
 * @throws {ArgumentError} without a model
 * @throws {VocabularyError} when ids mean other tokens to one of them
 * @throws {ModelPairError} for a model with a part of its head, or when the rope of more than one jumps, at different lengths
 */
export function joinedModel(models: readonly CausalLM[], name: string, rule: CombinationRule): CausalLM {
  const [first] = models
  if (first === undefined) throw new ArgumentError({ field: 'models', found: 'none', expected: 'at least one' })
  const vocab = Math.min(...models.map((each) => sharedVocabulary(first, each)))
  for (const each of models) requireWholeHead(each)
  const switches = new Set(models.flatMap(({ config }) => config.ropeSwitch ?? []))
  if (switches.size > 1) throw new ModelPairError({ field: 'ropeSwitch', found: [...switches].join(' and '), expected: 'one length' })
  const [ropeSwitch] = switches
  const forward = async (step: DecodeStep): Promise<StepResult> => {
    const { cache, want } = requireSimple(step, name)
    const start = performance.now()
    const results: StepResult[] = []
    for (const [i, lm] of models.entries()) {
      const part = cache.parts[i]
      if (part === undefined || cache.parts.length !== models.length) throw otherCache(name)
      results.push(await lm.forward({ ...step, cache: part, want }))
    }
    const [result] = results
    if (result === undefined) throw otherCache(name)
    const rows = { ...result.rows, layers: results.flatMap((each) => each.rows.layers) }
    const elapsedMs = performance.now() - start
    if (want.logits === undefined) return { rows, elapsedMs }
    return { rows, elapsedMs, logits: combined(results, models, vocab, rule) }
  }
  const restricted = { attentionScores: false, hiddenStates: false, embeddingsInput: false, topK: false, sharedSteps: false }
  return {
    config: {
      ...first.config,
      vocab,
      maxPositions: Math.min(...models.map(({ config }) => config.maxPositions)),
      ...(ropeSwitch === undefined ? {} : { ropeSwitch }),
    },
    capabilities: {
      treeVisibility: models.every(({ capabilities }) => capabilities.treeVisibility),
      blockVisibility: models.every(({ capabilities }) => capabilities.blockVisibility !== false),
      ...restricted,
    },
    plan: {
      runtime: first.plan.runtime,
      provider: first.plan.provider,
      threads: first.plan.threads,
      formats: Object.fromEntries(
        models.flatMap(({ plan }, i) => Object.entries(plan.formats).map(([role, format]) => [`${role} ${i + 1}`, format])),
      ),
      exact: models.every(({ plan }) => plan.exact),
      notes: [`logits of ${models.length} models are combined (${name}): the output is that of none of them`],
    },
    ...(first.tokenizer === undefined ? {} : { tokenizer: first.tokenizer }),
    generationDefaults: first.generationDefaults,
    createCache: () => new JoinedCache(models.map((each) => each.createCache())),
    forward,
    async forwardBatch(steps) {
      const results: StepResult[] = []
      for (const step of steps) results.push(await forward(step))
      return results
    },
    maxSteps(cache) {
      const parts = cache instanceof JoinedCache ? cache.parts : []
      return Math.min(...models.map((lm, i) => lm.maxSteps(parts[i] ?? cache)))
    },
    memory() {
      const all = models.map((each) => each.memory())
      const sum = (field: 'weightsBytes' | 'graphBytes' | 'cacheBytes') => all.reduce((total, each) => total + each[field], 0)
      return { weightsBytes: sum('weightsBytes'), graphBytes: sum('graphBytes'), cacheBytes: sum('cacheBytes') }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** @throws {ModelPairError} for a model that gives logits of some tokens alone */
export function requireWholeHead({ config }: CausalLM): void {
  if (config.headTokens === undefined) return
  const found = `logits of ${config.headTokens.length} tokens of ${config.vocab}`
  throw new ModelPairError({ field: 'models', found, expected: 'models with their whole head' })
}

/** Refuses what models of different widths cannot answer together. */
function requireSimple(step: DecodeStep, name: string): { readonly cache: JoinedCache; readonly want: Pick<DecodeStep['want'], 'logits'> } {
  const { cache, want, tokens, adapters } = step
  if (!(cache instanceof JoinedCache)) throw otherCache(name)
  const refuse = (field: string, found: string, expected: string): never => {
    throw new ArgumentError({ field: `${name}, ${field}`, found, expected })
  }
  if (tokens instanceof Float32Array) refuse('tokens', 'embeddings', 'ids')
  if (adapters !== undefined) refuse('adapters', Object.keys(adapters).join(', '), 'none: set them on the models')
  const other = Object.entries(want).find(([field, value]) => field !== 'logits' && value !== undefined)
  if (other !== undefined) refuse(`want.${other[0]}`, String(other[1]), 'logits alone')
  return { cache, want: want.logits === undefined ? {} : { logits: want.logits } }
}

function otherCache(name: string): ArgumentError {
  return new ArgumentError({
    field: `${name}, cache`,
    found: 'a cache of another model',
    expected: 'one that createCache of this one gave',
  })
}

function combined(results: readonly StepResult[], models: readonly CausalLM[], vocab: number, rule: CombinationRule) {
  const widths = models.map(({ config }) => config.vocab)
  const rows = (results[0]?.logits?.data.length ?? 0) / (widths[0] ?? 1)
  const out = new Float32Array(rows * vocab)
  for (let row = 0; row < rows; row++) {
    const inputs = results.map(({ logits }, i) => {
      const width = widths[i] ?? 0
      return logits?.data.subarray(row * width, row * width + vocab) ?? new Float32Array(0)
    })
    rule(inputs, out.subarray(row * vocab, (row + 1) * vocab))
  }
  return tensor('float32', [rows, vocab], out)
}
