import { ArgumentError } from '@foretoken/tensor'
import { checkCount } from './option-checks.ts'

export interface BeamOptions {
  /** Number of beams, >= 1. */
  readonly count: number
  /** Exponent of the length in a hypothesis' score. Default 1; above 0 favours long outputs, below 0 short ones, 0 plain sums. */
  readonly lengthPenalty?: number
  /**
   * When to stop with `count` hypotheses found: `true` at once; `false` (default) when the best running beam, scored at its length so
   * far, is no better than the worst of them; `'never'` when it could not become better at any length.
   */
  readonly earlyStopping?: boolean | 'never'
}

export interface CheckedBeams {
  readonly count: number
  readonly lengthPenalty: number
  readonly earlyStopping: boolean | 'never'
}

/** @throws {ArgumentError} for a value outside of its range */
export function checkBeams({ count, lengthPenalty = 1, earlyStopping = false }: BeamOptions, isGreedy: boolean): CheckedBeams {
  checkCount('beams.count', count, 1)
  if (!Number.isFinite(lengthPenalty)) {
    throw new ArgumentError({ field: 'beams.lengthPenalty', found: String(lengthPenalty), expected: 'a finite number' })
  }
  if (!isGreedy) {
    throw new ArgumentError({
      field: 'beams',
      found: 'sampling of kind sample',
      expected: 'greedy: beams choose by sums of log-probabilities',
    })
  }
  if (earlyStopping !== 'never' && typeof earlyStopping !== 'boolean') {
    throw new ArgumentError({ field: 'beams.earlyStopping', found: JSON.stringify(earlyStopping), expected: `true, false or 'never'` })
  }
  return { count, lengthPenalty, earlyStopping }
}
