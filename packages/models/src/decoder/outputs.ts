/**
 * What a graph returns besides keys, values and logits. Extra outputs cost time in every step, so a model is opened without them;
 * the first step that wants one reopens the graph with it.
 */
import type { Want } from '../causal-lm.ts'

export interface OutputSet {
  readonly embeddingsInput: boolean
  readonly hidden: boolean
  readonly scores: boolean
  /** The k of a TopK inside the graph, 0 for none. */
  readonly topK: number
}

export const PLAIN_OUTPUTS: OutputSet = { embeddingsInput: false, hidden: false, scores: false, topK: 0 }

/** The outputs that a step needs. */
export function outputsFor(want: Want, embeddingsInput: boolean): OutputSet {
  return {
    embeddingsInput,
    hidden: (want.hidden?.length ?? 0) > 0,
    scores: want.scores !== undefined,
    topK: want.topK ?? 0,
  }
}

/** Whether a graph with the outputs `has` can serve a step that needs `needs`. A larger k contains the smaller one. */
export function covers(has: OutputSet, needs: OutputSet): boolean {
  return (
    has.embeddingsInput === needs.embeddingsInput &&
    (has.hidden || !needs.hidden) &&
    (has.scores || !needs.scores) &&
    has.topK >= needs.topK
  )
}

export function union(a: OutputSet, b: OutputSet): OutputSet {
  return { embeddingsInput: b.embeddingsInput, hidden: a.hidden || b.hidden, scores: a.scores || b.scores, topK: Math.max(a.topK, b.topK) }
}
