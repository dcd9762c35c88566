/**
 * Adapters while a graph is built. The binder asks for each part of a linear layer what is merged into it and what runs beside it, so
 * that the rows of a fused product each get their own; afterwards every module of every adapter has to have been asked for.
 */
import { add, type Graph, type LinearWeight, linear, multiply, type Value } from '@foretoken/graph'
import { ShapeError } from '@foretoken/tensor'
import { packLinear, type StoredTensor } from '@foretoken/weights'
import { CheckpointError } from '../errors.ts'
import type { LoraAdapter, LoraPair } from './lora-adapter.ts'
import { type Delta, mergedWeight, type StoredLayout } from './merge.ts'

/** A part of a linear layer, as the binder knows it. */
export interface AdaptedPart {
  /** Name of its weight. */
  readonly name: string
  readonly outputs: number
  readonly rowOrder?: Int32Array
  readonly storedOutputs?: number
}

export interface AdapterBinding {
  /** Whether an adapter is merged into the weight. */
  mergesInto(part: AdaptedPart, inputs: number): boolean
  merged(stored: StoredTensor, part: AdaptedPart, layout: Omit<StoredLayout, 'outputs'>): StoredTensor
  /** The product plus what the runtime adapters of its parts add to it: [1, rows, sum of outputs]. */
  adapted(product: Value, x: Value, parts: readonly AdaptedPart[], inputs: number): Value
  /** @throws {CheckpointError} naming modules that the model does not have */
  requireAllUsed(model: string): void
}

/** The input that holds the scale of the runtime adapter at this place among them. */
export function scaleInput(index: number): string {
  return `adapter_scale_${index}`
}

export function bindAdapters(adapters: readonly LoraAdapter[], graph: Graph): AdapterBinding {
  const merging = adapters.filter(({ mode }) => mode === 'merge').map(indexed)
  const running = adapters.filter(({ mode }) => mode === 'runtime').map(indexed)
  const scales = running.map((_, index) => graph.input(scaleInput(index), 'float32', []))
  const used = new Set<LoraPair>()
  let products = 0

  function pairOf({ adapter, pairs }: IndexedAdapter, part: AdaptedPart, inputs: number): LoraPair | undefined {
    const module = part.name.replace(/\.weight$/, '')
    // adapters of a bare model lack the first part of the name
    const pair = pairs.get(module) ?? pairs.get(module.slice(module.indexOf('.') + 1))
    if (pair === undefined) return undefined
    const { outputs, storedOutputs = outputs } = part
    if (pair.inputs !== inputs || pair.outputs !== storedOutputs) {
      throw new ShapeError({
        file: adapter.path,
        tensor: pair.module,
        found: `an adapter from ${pair.inputs} to ${pair.outputs}`,
        expected: `one from ${inputs} to ${storedOutputs}, as in the model`,
      })
    }
    used.add(pair)
    return pair
  }
  const deltas = (part: AdaptedPart, inputs: number): readonly Delta[] =>
    merging.flatMap((each) => {
      const pair = pairOf(each, part, inputs)
      return pair === undefined ? [] : [{ pair, factor: each.adapter.scale * pair.scale }]
    })

  return {
    mergesInto: (part, inputs) => deltas(part, inputs).length > 0,
    merged: (stored, part, layout) => {
      const { outputs, storedOutputs = outputs } = part
      return mergedWeight(stored, deltas(part, layout.inputs), { ...layout, outputs: storedOutputs })
    },
    adapted(product, x, parts, inputs) {
      let sum = product
      for (const [index, each] of running.entries()) {
        const scale = scales[index]
        const pairs = parts.map((part) => pairOf(each, part, inputs))
        if (scale === undefined || pairs.every((pair) => pair === undefined)) continue
        const [down, up] = stackedPairs(`adapter.${each.adapter.name}.${products++}`, parts, pairs, inputs)
        sum = add(sum, linear(multiply(linear(x, down), scale), up))
      }
      return sum
    },
    requireAllUsed(model) {
      for (const { path, pairs } of adapters) {
        const left = pairs.filter((pair) => !used.has(pair)).map(({ module }) => module)
        if (left.length === 0) continue
        throw new CheckpointError({
          file: path,
          found: `adapters of ${left.length} modules that the model has no linear layer for: ${left.slice(0, 20).join(', ')}`,
          expected: `modules of ${model}`,
        })
      }
    },
  }
}

interface IndexedAdapter {
  readonly adapter: LoraAdapter
  readonly pairs: ReadonlyMap<string, LoraPair>
}

function indexed(adapter: LoraAdapter): IndexedAdapter {
  return { adapter, pairs: new Map(adapter.pairs.map((pair) => [pair.module, pair])) }
}

/** One pair of weights for all parts: the rows of A one after another, and B in blocks along a diagonal, so that parts do not mix. */
function stackedPairs(
  name: string,
  parts: readonly AdaptedPart[],
  pairs: readonly (LoraPair | undefined)[],
  inputs: number,
): [down: LinearWeight, up: LinearWeight] {
  const rank = pairs.reduce((sum, pair) => sum + (pair?.rank ?? 0), 0)
  const outputs = parts.reduce((sum, part) => sum + part.outputs, 0)
  return [
    {
      name: `${name}.down`,
      outputs: rank,
      inputs,
      format: { kind: 'f32' },
      load: async () => {
        const rows = new Float32Array(rank * inputs)
        let at = 0
        for (const pair of pairs) {
          if (pair === undefined) continue
          rows.set(pair.down, at)
          at += pair.down.length
        }
        return packLinear(rows, { outputs: rank, inputs, format: { kind: 'f32' } })
      },
    },
    {
      name: `${name}.up`,
      outputs,
      inputs: rank,
      format: { kind: 'f32' },
      load: async () => {
        const rows = new Float32Array(outputs * rank)
        let firstRow = 0
        let firstColumn = 0
        for (const [index, part] of parts.entries()) {
          const pair = pairs[index]
          for (let row = 0; pair !== undefined && row < part.outputs; row++) {
            const from = (part.rowOrder?.[row] ?? row) * pair.rank
            const to = (firstRow + row) * rank + firstColumn
            for (let column = 0; column < pair.rank; column++) rows[to + column] = (pair.up[from + column] ?? 0) * pair.scale
          }
          firstRow += part.outputs
          firstColumn += pair?.rank ?? 0
        }
        return packLinear(rows, { outputs, inputs: rank, format: { kind: 'f32' } })
      },
    },
  ]
}
