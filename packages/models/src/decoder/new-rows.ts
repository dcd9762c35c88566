/**
 * Where a step's new keys and values come out of the graph: those of one shape in one output, one layer's after the other's. The runtime hands
 * over every output at a price of its own, which 60 of them pay with a twentieth of a small model's step.
 */
import { concat, type Graph, type Value } from '@foretoken/graph'
import type { LayerDescription } from '../architectures/architecture.ts'
import { strandsFor } from './strands.ts'

export interface NewRowsPlace {
  readonly output: string
  /** How many layers' keys or values stand before it in the output. */
  readonly index: number
}

export interface LayerPlaces {
  /** Undefined for rows without width, and for layers that do not attend. */
  readonly keys: NewRowsPlace | undefined
  readonly values: NewRowsPlace | undefined
}

const known = new WeakMap<readonly LayerDescription[], readonly LayerPlaces[]>()

/** For each layer the places of its keys and values; found once for a model, because every step asks. */
export function newRowsPlaces(layers: readonly LayerDescription[]): readonly LayerPlaces[] {
  const found = known.get(layers) ?? findPlaces(layers)
  known.set(layers, found)
  return found
}

function findPlaces(layers: readonly LayerDescription[]): readonly LayerPlaces[] {
  const counts = new Map<string, number>()
  const place = (layer: LayerDescription, dim: number): NewRowsPlace | undefined => {
    if (layer.recurrent !== undefined || dim === 0) return undefined
    const output = `new_rows_${layer.kvHeads}x${dim}${strandsFor(layer) === 1 ? '' : '_dealt'}`
    const index = counts.get(output) ?? 0
    counts.set(output, index + 1)
    return { output, index }
  }
  return layers.map((layer) => ({ keys: place(layer, layer.keyDim), values: place(layer, layer.valueDim) }))
}

/** Collects the rows while the layers are built. */
export interface NewRowsCollector {
  /** Both [each, slots, kvHeads, dim], with strands [each, 1, slots, …]. */
  add(layer: number, keys: Value, values: Value): void
  /** Declares the outputs, when all layers are there. */
  declare(): void
}

export function newRowsCollector(graph: Graph, layers: readonly LayerDescription[]): NewRowsCollector {
  const places = newRowsPlaces(layers)
  const outputs = new Map<string, Value[]>()
  const put = (place: NewRowsPlace | undefined, rows: Value): void => {
    if (place === undefined) return
    const all = outputs.get(place.output) ?? []
    outputs.set(place.output, all)
    all[place.index] = rows
  }
  return {
    add(layer, keys, values) {
      put(places[layer]?.keys, keys)
      put(places[layer]?.values, values)
    },
    declare() {
      for (const [name, rows] of outputs) {
        const [first] = rows
        if (first !== undefined) graph.output(name, rows.length === 1 ? first : concat(rows, { axis: 0 }))
      }
    },
  }
}
