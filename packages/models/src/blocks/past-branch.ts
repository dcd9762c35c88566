/**
 * Sequences shorter than a block have nothing before the cut, and a hidden row stands in for it. What attention computes over that row are zeros, and
 * operators for a twelfth of a small model's step: so the past is a branch that such steps do not take. What they leave out is added as
 * zeros elsewhere, and so a row is the same bits in either branch: alone, and beside a longer sequence.
 */
import { branch, type Value } from '@foretoken/graph'
import type { AttentionInputs, Decoder } from '../decoder/decoder.ts'

/** Attention over the past and the new rows, or over the new ones alone; both of the same dimensions. */
export function withOrWithoutPast(
  decoder: Decoder,
  { hasPast }: AttentionInputs,
  ofAllRows: () => Value,
  ofNewRowsAlone: () => Value,
): Value {
  // attention scores are outputs of the graph, which a branch cannot have
  if (decoder.outputs.scores) return ofAllRows()
  const [attended] = branch(
    hasPast,
    () => [ofAllRows()],
    () => [ofNewRowsAlone()],
  )
  if (attended === undefined) throw new RangeError('a branch without a result')
  return attended
}
