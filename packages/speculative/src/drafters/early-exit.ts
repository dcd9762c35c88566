/**
 * The model's own first layers draft for it, through its own final norm and head, without any training (self-speculation; Zhang et al. 2023, "Draft &
 * Verify", skip layers found by search; here all behind one layer). They are opened as a model of their own, `loadCausalLM(source, { layers })`, so a
 * draft runs these layers and no others. Their rows are the first rows of the target, which are borrowed: the prompt is not computed a second time, nor is
 * anything that was accepted. Memory: the weights of those layers and of embeddings and head once more, for two sessions share none, and their rows.
 *
 * A model that was not trained to be left early says little before its last layers: measure before use (README).
 */
import type { DraftContext, Drafter } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { type DraftChainOptions, draftChain } from '../draft-chain.ts'
import { DraftRows } from '../draft-rows.ts'
import { ModelPairError } from '../errors.ts'

/**
 * @param draft  the first layers of the model that it will draft for; stays the caller's
 * @throws {ArgumentError} for a number outside of its range
 * @throws {ModelPairError} when a generation begins with a model that has not these first layers, by their shapes
 */
export function earlyExit(draft: CausalLM, options: DraftChainOptions = {}): Drafter {
  return draftChain(`early exit after ${draft.config.layers} layers`, draft, options, (context) => {
    requireFirstLayers(context, draft)
    return new DraftRows(draft, { promptLength: context.prompt.length, lent: context.cache, signal: context.signal })
  })
}

function requireFirstLayers({ lm, cache }: DraftContext, draft: CausalLM): void {
  const refuse = (found: string, expected: string): never => {
    throw new ModelPairError({ field: 'draft', found, expected })
  }
  const { modelType, hidden, layers } = draft.config
  if (modelType !== lm.config.modelType || hidden !== lm.config.hidden || layers > lm.config.layers) {
    const expected = `the first layers of a ${lm.config.modelType} of ${lm.config.layers} layers, ${lm.config.hidden} wide`
    refuse(`a ${modelType} of ${layers} layers, ${hidden} wide`, expected)
  }
  const own = draft.createCache()
  const same = own.layers.every((shape, layer) => JSON.stringify(shape) === JSON.stringify(cache.layers[layer]))
  const isRecurrent = own.layers.some(({ recurrent }) => recurrent !== undefined)
  void own[Symbol.asyncDispose]()
  if (!same) refuse('layers of other shapes', "the model's first layers")
  if (isRecurrent) refuse('recurrent layers', 'layers whose rows can be copied: use draftModel, which computes its own')
}
