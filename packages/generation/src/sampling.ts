import { ArgumentError } from '@foretoken/tensor'

/**
 * How the next token is chosen from the processed logits. The steps of `sample` run in this order, each on what the previous
 * one kept, as transformers does: temperature, top-k, top-p, min-p, typical.
 */
export type Sampling =
  /** The token with the largest logit, the lowest id among equals. */
  | { readonly kind: 'greedy' }
  | {
      readonly kind: 'sample'
      /** Divides the logits. Default 1; 0 is greedy. */
      readonly temperature?: number
      /** Keeps the k largest logits and those equal to the k-th. Default: all. */
      readonly topK?: number
      /** Keeps the most probable tokens until together they have this probability; 0 < topP <= 1. Default 1. */
      readonly topP?: number
      /** Keeps tokens with at least this fraction of the largest probability; 0 <= minP <= 1. Default 0. */
      readonly minP?: number
      /**
       * Keeps the tokens whose surprise is nearest to the entropy until together they have this probability; 0 < typicalP <= 1.
       * Default 1. After Meister et al. 2022, "Locally Typical Sampling".
       */
      readonly typicalP?: number
      /** Seed of the noise, an integer from 0 to 2^53 - 1. Default 0: the same call gives the same tokens unless you change it. */
      readonly seed?: number
    }

/** The numbers of a `sample`, checked and complete. `temperature` 0 has become greedy. */
export type CheckedSampling =
  | { readonly kind: 'greedy' }
  | {
      readonly kind: 'sample'
      readonly temperature: number
      /** Infinity: all. */
      readonly topK: number
      readonly topP: number
      readonly minP: number
      readonly typicalP: number
      readonly seed: number
    }

/** @throws {ArgumentError} for a number outside of its range */
export function checkSampling(sampling: Sampling): CheckedSampling {
  if (sampling.kind === 'greedy') return { kind: 'greedy' }
  if (sampling.kind !== 'sample') {
    throw new ArgumentError({ field: 'sampling.kind', found: JSON.stringify(sampling), expected: `'greedy' or 'sample'` })
  }
  const { temperature = 1, topK = Number.POSITIVE_INFINITY, topP = 1, minP = 0, typicalP = 1, seed = 0 } = sampling
  check('temperature', temperature, Number.isFinite(temperature) && temperature >= 0, 'a finite number >= 0')
  check('topK', topK, topK === Number.POSITIVE_INFINITY || (Number.isSafeInteger(topK) && topK >= 1), 'a whole number >= 1')
  check('topP', topP, topP > 0 && topP <= 1, 'a number > 0 and <= 1')
  check('minP', minP, minP >= 0 && minP <= 1, 'a number from 0 to 1')
  check('typicalP', typicalP, typicalP > 0 && typicalP <= 1, 'a number > 0 and <= 1')
  check('seed', seed, Number.isSafeInteger(seed) && seed >= 0, 'a whole number from 0 to 2^53 - 1')
  if (temperature === 0) return { kind: 'greedy' }
  return { kind: 'sample', temperature, topK, topP, minP, typicalP, seed }
}

function check(field: string, value: number, holds: boolean, expected: string): void {
  if (!holds) throw new ArgumentError({ field: `sampling.${field}`, found: String(value), expected })
}
