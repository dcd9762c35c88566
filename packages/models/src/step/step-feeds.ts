/** The inputs of the graph for one step, by name. Cached rows are views into the cache: nothing of it is copied here. */
import { type Tensor, tensor } from '@foretoken/tensor'
import type { DecoderDescription, LayerDescription } from '../architectures/architecture.ts'
import type { DecodeStep } from '../causal-lm.ts'
import { distinctRopes, type MaskKind, maskKinds } from '../decoder/decoder.ts'
import { rotaryTables } from '../rope/rope.ts'
import { type KindFeeds, kindFeeds, type RowRange, sharedArrays } from './attention-feeds.ts'
import type { CheckedStep } from './check-step.ts'
import { feedRecurrent } from './recurrent-feeds.ts'
import { visibilityOf } from './visibility.ts'

export interface StepFeeds {
  readonly feeds: ReadonlyMap<string, Tensor>
  /** Which cached rows each layer was fed; undefined for layers that do not attend. */
  readonly ranges: readonly (RowRange | undefined)[]
}

/** Makes the feeds of every step of one model; holds the arrays that steps share. */
export function stepFeeder(description: DecoderDescription): (step: DecodeStep, checked: CheckedStep) => StepFeeds {
  const { layers, config } = description
  const { kinds, kindOf } = maskKinds(layers)
  const ropes = distinctRopes(layers)
  const shared = sharedArrays()

  return (step, { steps, positions, wantedRows }) => {
    const feeds = new Map<string, Tensor>()
    const sees = visibilityOf(step.visibility, steps)
    if (step.tokens instanceof Float32Array) feeds.set('embeddings', tensor('float32', [1, steps, config.hidden], step.tokens))
    else feeds.set('tokens', tensor('int64', [steps], wide(step.tokens)))
    feeds.set('wanted_rows', tensor('int64', [wantedRows.length], wide(wantedRows)))

    if (description.readsPositions) feeds.set('positions', tensor('int64', [steps], wide(positions)))

    const byKind = new Map<MaskKind, KindFeeds>()
    for (const kind of kinds) {
      const each = kindFeeds(kind, step.cache, positions, sees, steps === 1, shared)
      byKind.set(kind, each)
      feeds.set(`past_bias_${kind.name}`, each.pastBias)
      feeds.set(`new_bias_${kind.name}`, each.newBias)
      feeds.set(`past_ones_${kind.name}`, each.pastOnes)
      feeds.set(`new_ones_${kind.name}`, each.newOnes)
    }
    ropes.forEach((rope, index) => {
      const { cos, sin } = rotaryTables(rope, positions, step.sequenceLength)
      feeds.set(`cos_${index}`, tensor('float32', [steps, rope.rotaryDim / 2], cos))
      feeds.set(`sin_${index}`, tensor('float32', [steps, rope.rotaryDim / 2], sin))
    })

    const ranges = layers.map((shape, layer) => {
      const kind = kindOf[layer]
      if (kind === undefined) return undefined
      const range = byKind.get(kind)?.range
      if (range === undefined) throw new RangeError(`layer ${layer} has no mask kind`)
      feedRows(feeds, step, shape, layer, range)
      return range
    })
    feedRecurrent(feeds, step, steps, layers)
    return { feeds, ranges }
  }

  function feedRows(feeds: Map<string, Tensor>, { cache }: DecodeStep, shape: LayerDescription, layer: number, range: RowRange): void {
    const { kvHeads, keyDim, valueDim } = shape
    const past = range.cut - range.start
    const tail = range.length - range.cut
    const pastRows =
      past > 0
        ? cache.view(layer, range.start, range.cut)
        : // an empty dimension ends the process in a batched transposed product: one hidden row stands in
          { keys: shared.zeros(kvHeads * keyDim), values: shared.zeros(kvHeads * valueDim) }
    const tailRows = cache.view(layer, range.cut, range.length)
    feeds.set(`past_keys_${layer}`, tensor('float32', [Math.max(past, 1), kvHeads, keyDim], pastRows.keys))
    feeds.set(`past_values_${layer}`, tensor('float32', [Math.max(past, 1), kvHeads, valueDim], pastRows.values))
    feeds.set(`tail_keys_${layer}`, tensor('float32', [tail, kvHeads, keyDim], tailRows.keys))
    feeds.set(`tail_values_${layer}`, tensor('float32', [tail, kvHeads, valueDim], tailRows.values))
  }
}

function wide(values: Int32Array): BigInt64Array {
  const out = new BigInt64Array(values.length)
  for (let at = 0; at < values.length; at++) out[at] = BigInt(values[at] ?? 0)
  return out
}
