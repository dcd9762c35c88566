/**
 * Every operator against a slow plain implementation: the node is built with known and with symbolic dimensions, run on
 * onnxruntime-node, and its element types, dimensions and elements are compared with what the reference and the builder say.
 */

import { type Dim, evaluateDim, Graph, type Value } from '@foretoken/graph'
import type { DType } from '@foretoken/tensor'
import { expect } from 'vitest'
import { type Fed, type Result, runGraph } from '../run-graph.ts'

export interface Plain {
  readonly dims: readonly number[]
  readonly values: readonly number[]
}

/** A tensor by a function of the index. */
export function plain(dims: readonly number[], element: (index: readonly number[]) => number): Plain {
  const size = dims.reduce((product, dim) => product * dim, 1)
  return { dims, values: Array.from({ length: size }, (_, flat) => element(indexOf(dims, flat))) }
}

export function indexOf(dims: readonly number[], flat: number): number[] {
  const index: number[] = []
  let rest = flat
  for (const dim of [...dims].reverse()) {
    index.unshift(rest % dim)
    rest = Math.floor(rest / dim)
  }
  return index
}

/** An element; indices of axes of size 1 may be anything, and leading ones beyond the rank are dropped: numpy's broadcasting. */
export function at({ dims, values }: Plain, index: readonly number[]): number {
  const own = index.slice(index.length - dims.length)
  let flat = 0
  dims.forEach((dim, axis) => {
    flat = flat * dim + (dim === 1 ? 0 : (own[axis] ?? 0))
  })
  return values[flat] ?? Number.NaN
}

/** The elements of a fed tensor as numbers. */
export function toPlain({ dims, values }: Fed): Plain {
  return { dims, values: values.map(Number) }
}

/** Floats between -2 and 2 that are multiples of 1/64, from a seed: sums of a few are exact. */
export function floats(dims: readonly number[], seed = 1, scale = 1): Fed {
  return {
    type: 'float32',
    dims,
    values: plain(dims, () => 0).values.map((_, flat) => (((((flat + 1) * 7919 * (seed + 3)) % 257) - 128) / 64) * scale),
  }
}

export function integers(type: DType, dims: readonly number[], least: number, most: number, seed = 1): Fed {
  return {
    type,
    dims,
    values: plain(dims, () => 0).values.map((_, flat) => least + (((flat + 1) * 7919 * (seed + 3)) % (most - least + 1))),
  }
}

export interface OperatorCase {
  /** By name; they become graph inputs. */
  readonly inputs: Readonly<Record<string, Fed>>
  /** Inputs whose dimensions stay numbers when all others become symbols. */
  readonly fixed?: readonly string[]
  /** Inputs that are constants of the graph instead. */
  readonly constants?: readonly string[]
  readonly build: (values: (name: string) => Value) => Value | readonly Value[]
  /** The outputs as plain tensors; undefined where only type and dimensions are looked at. */
  readonly expected: readonly (Plain | undefined)[]
  readonly types?: readonly DType[]
  readonly tolerance?: number
  /** Some dimensions are only known when the graph runs, even from numbers. */
  readonly isDataDependent?: boolean
}

export async function checkOperator(operatorCase: OperatorCase): Promise<void> {
  for (const isSymbolic of [false, true]) await checkOnce(operatorCase, isSymbolic)
}

async function checkOnce(
  { inputs, fixed = [], constants = [], build, expected, types, tolerance = 1e-5, isDataDependent = false }: OperatorCase,
  isSymbolic: boolean,
) {
  const graph = new Graph({ name: 'one-operator' })
  const symbols = new Map<string, number>()
  const values = new Map<string, Value>()
  const feeds: Record<string, Fed> = {}
  for (const [name, fed] of Object.entries(inputs)) {
    if (constants.includes(name)) {
      values.set(name, graph.constant(fed.type, fed.dims, fed.values))
      continue
    }
    const dims = fed.dims.map((dim): Dim => {
      if (!isSymbolic || fixed.includes(name) || dim <= 1) return dim
      symbols.set(`size${dim}`, dim)
      return `size${dim}`
    })
    values.set(name, graph.input(name, fed.type, dims))
    feeds[name] = fed
  }
  const built = build((name) => {
    const value = values.get(name)
    if (value === undefined) throw new Error(`no input ${name}`)
    return value
  })
  const outputs = isList(built) ? built : [built]
  outputs.forEach((value, place) => {
    graph.output(`output ${place}`, value)
  })
  const results = await runGraph(graph, feeds)
  outputs.forEach((value, place) => {
    const result = results[`output ${place}`]
    if (result === undefined) throw new Error('no result')
    expect(result.type).toBe(value.type)
    if (types?.[place] !== undefined) expect(value.type).toBe(types[place])
    compareDims(value, result, symbols, isSymbolic || isDataDependent)
    const wanted = expected[place]
    if (wanted !== undefined) compareElements(result, wanted, tolerance)
  })
}

function compareDims(value: Value, result: Result, symbols: ReadonlyMap<string, number>, mayBeUnknown: boolean): void {
  expect(value.dims.length).toBe(result.dims.length)
  value.dims.forEach((dim, axis) => {
    const derived = evaluateDim(dim, symbols)
    if (derived === undefined) expect(mayBeUnknown && `${dim}`.includes('#'), `dimension ${dim} is explained`).toBe(true)
    else expect(derived, `axis ${axis} of [${value.dims.join(', ')}]`).toBe(result.dims[axis])
  })
}

function compareElements(result: Result, wanted: Plain, tolerance: number): void {
  expect(result.dims).toEqual(wanted.dims)
  wanted.values.forEach((value, place) => {
    const found = result.values[place] ?? Number.NaN
    if (Number.isFinite(value))
      expect(Math.abs(found - value), `element ${place}: ${found} for ${value}`).toBeLessThanOrEqual(
        tolerance * Math.max(1, Math.abs(value)),
      )
    else expect(found, `element ${place}`).toBe(value)
  })
}

function isList(built: Value | readonly Value[]): built is readonly Value[] {
  return Array.isArray(built)
}
