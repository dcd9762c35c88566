/**
 * A sparse mixture of experts (Shazeer et al. 2017): the rows that chose an expert are gathered, run through it together, and each row
 * adds up what its experts made of it. Every expert is a branch (`If`) of the graph that is skipped when no row chose it, so a step of one
 * row reads the weights of its own experts and no others; in a prompt each expert is one product over all its rows.
 *
 * Measured on ONNX Runtime 1.30 (2 cores AVX2; width 512, experts 512 wide, 2 of E per row; ms of a layer for 1 row and for 128):
 *
 * | operator | formats | E = 8 | 32 | 128 | rows exact |
 * | --- | --- | --- | --- | --- | --- |
 * | branches side by side (here) | int8-rows | 0.21, 2.3 | 0.15, 4.2 | 0.33, 9.8 | yes |
 * | | int4 blocks | 0.12, 3.0 | 0.16, 4.7 | 0.35, 10 | yes |
 * | branches in a loop over the chosen experts | int8-rows | | 0.20, 6.2 | | yes |
 * | branches in groups of 8 | int4 blocks | | 1.9, 30 | | yes |
 * | `MoE` | float32 only (branches: 0.25, 5.2) | | 0.16, 8.2 | | no |
 * | `QMoE` | int4 blocks | 1.6, 9.9 | 1.6, 29 | 1.6, 105 | no |
 *
 * A branch that is skipped costs 2 µs. Weights are packed ahead of the run only one level below the graph, which is why deeper branches and
 * loops lose; `QMoE` unpacks weights in every step. In whole models (4 layers, width 512, experts 1,024 wide, 2 chosen, int8-rows) a token takes
 * 1.3, 2.0 and 2.5 ms with 2, 8 and 32 experts, that is with 16, 54 and 207 MB of weights.
 *
 * The price is the time to open the graph: 3 to 4 ms for each expert of each layer, and beyond a thousand of them more, because the runtime copies the
 * names around a branch for each branch (3,072 of them open in 20 s). What a branch can compute inside is therefore not handed to it from outside.
 */
import {
  add,
  branch,
  cast,
  concat,
  constantOfShape,
  cumSum,
  equal,
  gather,
  gatherElements,
  greater,
  multiply,
  nonZero,
  reduceSum,
  reshape,
  scatterElements,
  slice,
  subtract,
  transpose,
  unsqueeze,
  type Value,
} from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import type { Routing } from './routing.ts'

/** For `plan.notes`. */
export const MIXTURE_NOTE = 'experts are branches (If) over the rows that chose them: an expert that no row of a step chose is not computed'

export interface MixtureOptions {
  readonly experts: number
  readonly hidden: number
  /** Whether an expert's products need a second row beside a single one to give the same bits as among several. */
  readonly doublesSingleRows: boolean
  /** What an expert makes of its rows: [1, rows, hidden] -> [1, rows, hidden]. Built inside of its branch. */
  expert(rows: Value, index: number): Value
}

/** The weighted sum of what the chosen experts make of each row: x [1, steps, hidden] -> [1, steps, hidden] */
export function mixtureOfExperts(decoder: Decoder, x: Value, { chosen, weights: shares }: Routing, options: MixtureOptions): Value {
  const { graph, weights } = decoder
  const { experts, hidden, doublesSingleRows } = options
  const whole = (value: number) => graph.constant('int64', [], [value])

  // who chose whom, by expert and then by row: [experts, steps] of 0 and 1
  const noOne = constantOfShape(graph, ['steps', experts], 0, 'int64')
  const ones = constantOfShape(graph, chosen.dims, 1, 'int64')
  const isChosen = transpose(scatterElements(noOne, chosen, ones, { axis: 1 }), [1, 0])
  const counts = reduceSum(isChosen, [1], { keepDims: false }) // [experts]
  const isUsed = greater(counts, whole(0))
  const lengths = doublesSingleRows ? add(counts, cast(equal(counts, whole(1)), 'int64')) : counts
  const rowsByExpert = reshape(slice(nonZero(isChosen), { axis: 0, start: 1, end: 2 }), [-1]) // [steps * perRow]
  const ends = cumSum(counts, 0)
  const begins = subtract(ends, counts)

  const results = Array.from({ length: experts }, (_, index) => {
    const [result] = branch(
      gather(isUsed, whole(index)),
      () => {
        const own = graph.constant('int64', [1], [index])
        const rows = slice(rowsByExpert, { axis: 0, start: gather(begins, own), end: gather(ends, own) })
        const doubled = doublesSingleRows ? slice(concat([rows, rows], { axis: 0 }), { axis: 0, end: gather(lengths, own) }) : rows
        return [options.expert(weights.inBasis(gather(x, doubled, { axis: 1 }), weights.basisOf(x)), index)]
      },
      () => [graph.constant('float32', [1, 0, hidden], [])],
      { name: `expert.${index}` },
    )
    if (result === undefined) throw new RangeError('a branch without a result')
    return result
  })

  // each row collects its results: those of an expert lie together, in the order of the rows
  const ranks = cumSum(isChosen, 1, { exclusive: true }) // [experts, steps]
  const starts = unsqueeze(cumSum(lengths, 0, { exclusive: true }), [1]) // [experts, 1]
  const places = gatherElements(transpose(add(ranks, starts), [1, 0]), chosen, { axis: 1 }) // [steps, perRow]
  const collected = gather(concat(results, { axis: 1 }), places, { axis: 1 }) // [1, steps, perRow, hidden]
  return reduceSum(multiply(collected, unsqueeze(shares, [2])), [2], { keepDims: false })
}
