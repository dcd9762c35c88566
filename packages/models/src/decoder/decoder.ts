/**
 * The graph of a decoder while it is being built: the inputs that a step feeds, the weights by name, and the places where the
 * outputs of a step are taken. Blocks (`../blocks`) read and write it; architectures pass it through.
 *
 * Rows are laid out as [1, steps, width] throughout: rotary and fused operators want a batch dimension. They may belong to several
 * sequences: `steps` = `each` * `slots`, the first row of every sequence, then the second of every one. Only attention sees the difference,
 * because it reads each sequence's own cache (`AttentionInputs`).
 */

import { add, cast, type Dim, equal, type Graph, reshapeTo, shapeVector, type Value } from '@foretoken/graph'
import type { StorageType } from '@foretoken/kv-cache'
import type { DecoderDescription, LayerDescription } from '../architectures/architecture.ts'
import type { Alibi } from '../blocks/alibi.ts'
import type { Rope } from '../rope/rope.ts'
import { type NewRowsCollector, newRowsCollector } from './new-rows.ts'
import type { OutputSet } from './outputs.ts'
import { strandsFor } from './strands.ts'
import type { WeightBinder } from './weight-binder.ts'

export interface Decoder {
  readonly graph: Graph
  readonly weights: WeightBinder
  readonly outputs: OutputSet
  readonly layers: readonly LayerDescription[]
  /** [steps] int64, or embeddings [1, steps, hidden] when the graph was asked to take these. */
  readonly tokens: Value
  /** [wanted] int64: indices of the rows that go through the head. */
  readonly wantedRows: Value
  attentionInputs(layer: number): AttentionInputs
  /** New rows as the cache will hold them, rounded where it rounds: the step that makes them sees what later ones see. */
  asCached(rows: Value): Value
  /** What the layers return for the cache. */
  readonly newRows: NewRowsCollector
  /** The same numbers in the same order with dimensions among which `each` and `slots` may both stand, where `steps` stood before. */
  withSlots(x: Value, dims: readonly Dim[]): Value
  recurrentInputs(layer: number): RecurrentInputs
  /** [steps] int64: positions of the rows plus `offset`, for learned position embeddings. */
  positions(offset: number): Value
  /** cos and sin of the layer's rope, each [steps, rotaryDim / 2]; undefined where the layer has none. */
  rotary(layer: number): RotaryInputs | undefined
}

export interface RotaryInputs {
  readonly rope: Rope
  readonly cos: Value
  readonly sin: Value
}

/** What the cache feeds to one layer, and the masks of its kind. */
export interface AttentionInputs {
  /** How many strands the past is dealt out to (`strands.ts`). */
  readonly strands: number
  /**
   * Rows before the cut: [past, slots, kvHeads, keyDim] and [past, slots, kvHeads, valueDim]; at least one row, masked when there is none.
   * With strands [past / strands, strands, slots, kvHeads, …], which is the same memory, and the tail [tail, 1, slots, …].
   */
  readonly pastKeys: Value
  readonly pastValues: Value
  /** Rows between the cut and the new ones, at most 255: [tail, slots, kvHeads, …]. What a slot has not got of either is masked. */
  readonly tailKeys: Value
  readonly tailValues: Value
  /**
   * Added to the scores: [slots, 1, 1 or group·each, past] and [slots, 1, group·each, tail + each]; with ALiBi [slots, kvHeads, group·each, …].
   * With strands the first is [strands, slots, …, past / strands].
   */
  readonly pastBias: Value
  readonly newBias: Value
  /** Columns of ones that sum the numerators: [past / strands, 1] and [tail + each, 1]. */
  readonly pastOnes: Value
  readonly newOnes: Value
}

/** What the cache feeds to a recurrent layer, and where its rows stand (`../step/recurrent-feeds.ts`). */
export interface RecurrentInputs {
  /** The state that the tail and the new rows go on from. */
  readonly state: Value
  /** [window + tail, inputWidth] rows before the state, and those since. */
  readonly inputs: Value
  /** [window + 1, tail + steps] int64: for each row of tail and new rows the rows that a convolution reads, the earliest first. */
  readonly taps: Value
  /** [tail] int64: 0, 1, … */
  readonly tailRows: Value
  /** int64 without dimensions: 1 if there is a tail, else 0. */
  readonly tailRounds: Value
  /** [lanes, depth] int64: for each path through the new rows its rows, among those of tail and new rows. A chain is one lane. */
  readonly laneRows: Value
  /** int64 without dimensions: the number of lanes. */
  readonly laneCount: Value
  /** bool without dimensions: no tail and one lane, as in most steps. */
  readonly isPlain: Value
  /** [steps] int64: where each new row stands in `laneRows`, counted through. */
  readonly places: Value
  /** [steps] int64: where each new row stands among the rows of tail and new rows. */
  readonly newRows: Value
}

/** Layers with the same window, group size and ALiBi share masks: they are of one kind. */
export interface MaskKind {
  readonly name: string
  readonly window?: number
  readonly group: number
  readonly kvHeads: number
  readonly alibi?: Alibi
  /** The past is dealt out to this many strands (row r to strand r mod strands), each with products of its own. */
  readonly strands: number
}

export function maskKinds(layers: readonly LayerDescription[]): {
  readonly kinds: readonly MaskKind[]
  /** Undefined for layers that do not attend. */
  readonly kindOf: readonly (MaskKind | undefined)[]
} {
  const kinds = new Map<string, MaskKind>()
  const kindOf = layers.map((layer) => {
    if (layer.recurrent !== undefined) return undefined
    const group = layer.isLatent ? 1 : layer.heads / layer.kvHeads
    const strands = strandsFor(layer)
    const sight = `${layer.window === undefined ? 'full' : `window${layer.window}`}${layer.alibi === undefined ? '' : '_alibi'}`
    const name = `${sight}_${group}${strands === 1 ? '' : `_in${strands}`}`
    const kind = kinds.get(name) ?? {
      name,
      group,
      kvHeads: layer.kvHeads,
      strands,
      ...(layer.window === undefined ? {} : { window: layer.window }),
      ...(layer.alibi === undefined ? {} : { alibi: layer.alibi }),
    }
    kinds.set(name, kind)
    return kind
  })
  return { kinds: [...kinds.values()], kindOf }
}

/** The distinct ropes in order of first use; a step computes each one's tables once. */
export function distinctRopes(layers: readonly LayerDescription[]): readonly Rope[] {
  return [...new Set(layers.flatMap((layer) => (layer.rope === undefined ? [] : [layer.rope])))]
}

/** The sizes of a layer's attention. */
export function layerOf(decoder: Decoder, layer: number): LayerDescription {
  const found = decoder.layers[layer]
  if (found === undefined) throw new RangeError(`the decoder has no layer ${layer}`)
  return found
}

export function createDecoder(
  description: DecoderDescription,
  weights: WeightBinder,
  graph: Graph,
  outputs: OutputSet,
  cacheType: StorageType,
): Decoder {
  const { layers, config } = description
  const { kinds, kindOf } = maskKinds(layers)
  const tokens = outputs.embeddingsInput
    ? graph.input('embeddings', 'float32', [1, 'steps', config.hidden])
    : graph.input('tokens', 'int64', ['steps'])
  const wantedRows = graph.input('wanted_rows', 'int64', ['wanted'])

  // of its numbers nothing is read: its dimensions say how the rows are divided
  if (kinds.length > 0) graph.input('slot_rows', 'int64', ['each', 'slots'])

  const masks = new Map(
    kinds.map((kind) => {
      const past = `past_${kind.name}`
      const fresh = `tail_${kind.name}+each`
      const rows: Dim = kind.group === 1 ? 'each' : `${kind.group}*each`
      return [
        kind.name,
        {
          pastBias: graph.input(`past_bias_${kind.name}`, 'float32', [...strandDims(kind), ...pastBiasDims(kind, rows, past)]),
          newBias: graph.input(`new_bias_${kind.name}`, 'float32', [
            ...(kind.strands === 1 ? [] : [1]),
            'slots',
            biasHeads(kind),
            rows,
            fresh,
          ]),
          pastOnes: graph.input(`past_ones_${kind.name}`, 'float32', [past, 1]),
          newOnes: graph.input(`new_ones_${kind.name}`, 'float32', [fresh, 1]),
        },
      ] as const
    }),
  )
  const ropes = new Map(
    distinctRopes(layers).map((rope, index) => {
      const dims = ['steps', rope.rotaryDim / 2]
      return [rope, { rope, cos: graph.input(`cos_${index}`, 'float32', dims), sin: graph.input(`sin_${index}`, 'float32', dims) }] as const
    }),
  )

  let positions: Value | undefined
  const shapes = new Map<string, Value>()
  const recurrent = recurrentInputs(graph, layers)

  return {
    graph,
    weights,
    outputs,
    layers,
    tokens,
    wantedRows,
    positions(offset) {
      const found = positions ?? graph.input('positions', 'int64', ['steps'])
      positions = found
      return offset === 0 ? found : add(found, graph.constant('int64', [], [offset]))
    },
    asCached: (rows) => (cacheType === 'float32' ? rows : cast(cast(rows, 'float16'), 'float32')),
    newRows: newRowsCollector(graph, layers),
    recurrentInputs: recurrent,
    rotary(layer) {
      const rope = layers[layer]?.rope
      return rope === undefined ? undefined : ropes.get(rope)
    },
    withSlots(x, dims) {
      const shape = shapes.get(dims.join()) ?? shapeVector(graph, dims)
      shapes.set(dims.join(), shape)
      return reshapeTo(x, shape)
    },
    attentionInputs(layer) {
      const kind = kindOf[layer]
      const shape = layers[layer]
      const mask = kind === undefined ? undefined : masks.get(kind.name)
      if (kind === undefined || shape === undefined || mask === undefined) throw new RangeError(`the decoder has no layer ${layer}`)
      const rows = (name: string, counts: readonly Dim[], dim: number) => {
        const held = graph.input(`${name}_${layer}`, cacheType, [...counts, 'slots', shape.kvHeads, dim])
        return cacheType === 'float32' ? held : cast(held, 'float32')
      }
      const past = [`past_${kind.name}`, ...strandDims(kind)]
      const tail = [`tail_${kind.name}`, ...(kind.strands === 1 ? [] : [1])]
      return {
        ...mask,
        strands: kind.strands,
        pastKeys: rows('past_keys', past, shape.keyDim),
        pastValues: rows('past_values', past, shape.valueDim),
        tailKeys: rows('tail_keys', tail, shape.keyDim),
        tailValues: rows('tail_values', tail, shape.valueDim),
      }
    },
  }
}

function recurrentInputs(graph: Graph, layers: readonly LayerDescription[]): (layer: number) => RecurrentInputs {
  let shared: SharedRecurrentInputs | undefined
  const taps = new Map<number, Value>()
  return (layer) => {
    const shape = layers[layer]?.recurrent
    if (shape === undefined) throw new RangeError(`layer ${layer} is not recurrent`)
    const { window } = shape
    shared ??= sharedRecurrentInputs(graph)
    const ofWindow = taps.get(window) ?? graph.input(`taps_${window}`, 'int64', [window + 1, 'tail+steps'])
    taps.set(window, ofWindow)
    return {
      ...shared,
      taps: ofWindow,
      inputs: graph.input(`recurrent_inputs_${layer}`, 'float32', [`${window}+tail`, shape.inputWidth]),
      state: graph.input(`state_${layer}`, 'float32', shape.stateDims),
    }
  }
}

type SharedRecurrentInputs = Omit<RecurrentInputs, 'state' | 'inputs' | 'taps'>

function sharedRecurrentInputs(graph: Graph): SharedRecurrentInputs {
  const index = (name: string, dims: readonly Dim[]) => graph.input(name, 'int64', dims)
  const tailRounds = index('tail_rounds', [])
  const laneCount = index('lane_count', [])
  return {
    tailRows: index('tail_rows', ['tail']),
    tailRounds,
    laneRows: index('lane_rows', ['lanes', 'depth']),
    laneCount,
    isPlain: equal(add(tailRounds, laneCount), graph.constant('int64', [], [1])),
    places: index('lane_places', ['steps']),
    newRows: index('new_rows', ['steps']),
  }
}

function strandDims({ strands }: MaskKind): number[] {
  return strands === 1 ? [] : [strands]
}

function pastBiasDims(kind: MaskKind, rows: Dim, past: Dim): Dim[] {
  const isSameForRows = kind.alibi === undefined && kind.window === undefined
  return ['slots', biasHeads(kind), isSameForRows ? 1 : rows, past]
}

/** With ALiBi a bias differs by head. */
function biasHeads(kind: MaskKind): number {
  return kind.alibi === undefined ? 1 : kind.kvHeads
}
