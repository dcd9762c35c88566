/**
 * The inputs of the graph for one step, by name. Cached rows are views into the cache, or into the rows that several caches share: nothing of
 * them is copied here.
 */
import type { HeldRows, SharedRows, StorageType } from '@foretoken/kv-cache'
import { type Tensor, tensor } from '@foretoken/tensor'
import type { DecoderDescription, LayerDescription } from '../architectures/architecture.ts'
import type { DecodeStep } from '../causal-lm.ts'
import { distinctRopes, type MaskKind, maskKinds } from '../decoder/decoder.ts'
import { rotaryTables } from '../rope/rope.ts'
import { type KindFeeds, kindFeeds, type MaskFeeds, pastFed, type RowRange, sharedArrays } from './attention-feeds.ts'
import type { CheckedStep } from './check-step.ts'
import { type JoinedRange, joinKindFeeds } from './joined-feeds.ts'
import { feedRecurrent } from './recurrent-feeds.ts'
import { visibilityOf } from './visibility.ts'

export interface StepFeeds {
  readonly feeds: ReadonlyMap<string, Tensor>
  /** Which cached rows each layer was fed; undefined for layers that do not attend. */
  readonly ranges: readonly (RowRange | undefined)[]
}

/** A single row of a sequence that shares its step with others. */
export interface SharedRow {
  readonly step: DecodeStep
  readonly checked: CheckedStep
  readonly slot: number
}

/** Makes the feeds of every step of one model; holds the arrays that steps share. */
export interface StepFeeder {
  alone(step: DecodeStep, checked: CheckedStep): StepFeeds
  /** Rows of several sequences, whose caches share `rows`. Rows run in the order of the slots; wanted ones come in the order given. */
  together(members: readonly SharedRow[], rows: SharedRows): ReadonlyMap<string, Tensor>
}

/** @param cacheType  how the caches of the model hold their rows */
export function stepFeeder(description: DecoderDescription, cacheType: StorageType): StepFeeder {
  const { layers, config } = description
  const { kinds, kindOf } = maskKinds(layers)
  const ropes = distinctRopes(layers)
  const shared = sharedArrays()
  return { alone, together }

  function alone(step: DecodeStep, { steps, positions, wantedRows }: CheckedStep): StepFeeds {
    const feeds = new Map<string, Tensor>()
    const sees = visibilityOf(step.visibility, steps)
    if (step.tokens instanceof Float32Array) feeds.set('embeddings', tensor('float32', [1, steps, config.hidden], step.tokens))
    else feeds.set('tokens', tensor('int64', [steps], wide(step.tokens)))
    feeds.set('wanted_rows', tensor('int64', [wantedRows.length], wide(wantedRows)))
    if (description.readsPositions) feeds.set('positions', tensor('int64', [steps], wide(positions)))
    if (kinds.length > 0) feeds.set('slot_rows', tensor('int64', [steps, 1], new BigInt64Array(steps)))

    const byKind = new Map<MaskKind, KindFeeds>()
    for (const kind of kinds) {
      const each = kindFeeds(kind, step.cache, positions, sees, steps === 1, shared)
      byKind.set(kind, each)
      feedMasks(feeds, kind, each)
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
      feedRows(feeds, step, shape, layer, kind, range)
      return range
    })
    feedRecurrent(feeds, step, steps, layers)
    return { feeds, ranges }
  }

  function together(members: readonly SharedRow[], rows: SharedRows): ReadonlyMap<string, Tensor> {
    const feeds = new Map<string, Tensor>()
    const { slots } = rows
    const [first] = members
    if (first === undefined) throw new RangeError('a step of no rows')
    // a slot without a member runs a copy of another's row, that nobody reads: any other row would go to experts of its own
    const bySlot = Array.from({ length: slots }, () => first)
    for (const member of members) bySlot[member.slot] = member

    if (first.step.tokens instanceof Float32Array) {
      const embeddings = new Float32Array(slots * config.hidden)
      for (const [slot, { step }] of bySlot.entries()) embeddings.set(step.tokens, slot * config.hidden)
      feeds.set('embeddings', tensor('float32', [1, slots, config.hidden], embeddings))
    } else feeds.set('tokens', tensor('int64', [slots], wide(Int32Array.from(bySlot, ({ step }) => step.tokens[0] ?? 0))))
    feeds.set('wanted_rows', tensor('int64', [members.length], wide(Int32Array.from(members, ({ slot }) => slot))))
    const positionOf = ({ checked }: SharedRow) => checked.positions[0] ?? 0
    if (description.readsPositions) feeds.set('positions', tensor('int64', [slots], wide(Int32Array.from(bySlot, positionOf))))
    feeds.set('slot_rows', tensor('int64', [1, slots], new BigInt64Array(slots)))

    const ranges = new Map<MaskKind, JoinedRange>()
    for (const kind of kinds) {
      const each = members.map(({ step, checked, slot }) => {
        const sees = visibilityOf(step.visibility, 1)
        return { slot, feeds: kindFeeds(kind, step.cache, checked.positions, sees, true, shared) }
      })
      const joined = joinKindFeeds(kind, each, slots, shared)
      ranges.set(kind, joined.range)
      feedMasks(feeds, kind, joined)
    }
    ropes.forEach((rope, index) => {
      const width = rope.rotaryDim / 2
      const cos = new Float32Array(slots * width)
      const sin = new Float32Array(slots * width)
      for (const [slot, { step, checked }] of bySlot.entries()) {
        const own = rotaryTables(rope, checked.positions, step.sequenceLength)
        cos.set(own.cos, slot * width)
        sin.set(own.sin, slot * width)
      }
      feeds.set(`cos_${index}`, tensor('float32', [slots, width], cos))
      feeds.set(`sin_${index}`, tensor('float32', [slots, width], sin))
    })
    for (const [layer, shape] of layers.entries()) {
      const kind = kindOf[layer]
      const range = kind === undefined ? undefined : ranges.get(kind)
      if (kind === undefined || range === undefined) throw new RangeError(`layer ${layer} does not attend`)
      const { start, cut, tail } = range
      const past = cut > start ? rows.blocks(layer, start, cut) : standIn(shape, slots * kind.strands)
      const counts = { past: pastFed(kind, range), strands: kind.strands, tail, slots }
      feedLayer(feeds, shape, layer, counts, past, rows.tails(layer, tail))
    }
    return feeds
  }

  function feedMasks(feeds: Map<string, Tensor>, { name }: MaskKind, masks: MaskFeeds): void {
    feeds.set(`past_bias_${name}`, masks.pastBias)
    feeds.set(`new_bias_${name}`, masks.newBias)
    feeds.set(`past_ones_${name}`, masks.pastOnes)
    feeds.set(`new_ones_${name}`, masks.newOnes)
  }

  function feedRows(
    feeds: Map<string, Tensor>,
    { cache }: DecodeStep,
    shape: LayerDescription,
    layer: number,
    kind: MaskKind,
    range: RowRange,
  ): void {
    const { strands } = kind
    const pastRows = range.cut > range.start ? cache.heldView(layer, range.start, range.cut) : standIn(shape, strands)
    const tailRows = cache.heldView(layer, range.cut, range.length)
    const counts = { past: pastFed(kind, range), strands, tail: range.length - range.cut, slots: 1 }
    feedLayer(feeds, shape, layer, counts, pastRows, tailRows)
  }

  /** An empty dimension ends the process in a batched transposed product: hidden rows stand in, one for each slot and strand. */
  function standIn({ kvHeads, keyDim, valueDim }: LayerDescription, rows: number): HeldRows {
    const zeros = cacheType === 'float16' ? shared.halfZeros : shared.zeros
    return { keys: zeros(rows * kvHeads * keyDim), values: zeros(rows * kvHeads * valueDim) }
  }
}

function feedLayer(
  feeds: Map<string, Tensor>,
  { kvHeads, keyDim, valueDim }: LayerDescription,
  layer: number,
  { past, strands, tail, slots }: { readonly past: number; readonly strands: number; readonly tail: number; readonly slots: number },
  pastRows: HeldRows,
  tailRows: HeldRows,
): void {
  const pastDims = strands === 1 ? [past, slots, kvHeads] : [past / strands, strands, slots, kvHeads]
  feeds.set(`past_keys_${layer}`, rowTensor([...pastDims, keyDim], pastRows.keys))
  feeds.set(`past_values_${layer}`, rowTensor([...pastDims, valueDim], pastRows.values))
  const tailDims = strands === 1 ? [tail, slots, kvHeads] : [tail, 1, slots, kvHeads]
  feeds.set(`tail_keys_${layer}`, rowTensor([...tailDims, keyDim], tailRows.keys))
  feeds.set(`tail_values_${layer}`, rowTensor([...tailDims, valueDim], tailRows.values))
}

function rowTensor(dims: readonly number[], rows: HeldRows['keys']): Tensor {
  return rows instanceof Float32Array ? tensor('float32', dims, rows) : tensor('float16', dims, rows)
}

function wide(values: Int32Array): BigInt64Array {
  const out = new BigInt64Array(values.length)
  for (let at = 0; at < values.length; at++) out[at] = BigInt(values[at] ?? 0)
  return out
}
