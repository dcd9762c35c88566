/**
 * Weights by name while a graph is built: finds a tensor in the checkpoint, checks its shape against what the configuration says,
 * declares the initialiser that will hold it, and remembers what was used. No bytes are read until the graph is written.
 */
import { add, concat, embedding, type Graph, type LinearWeight, linear, type Value } from '@foretoken/graph'
import { type LinearFormat, ShapeError } from '@foretoken/tensor'
import { decodeToFloat32, packStored, type StoredTensor } from '@foretoken/weights'
import type { NamedWeight, NamedWeights } from '../checkpoint/checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import {
  embeddingFormat,
  formatName,
  linearFormat,
  needsTwoRows,
  sameFormat,
  type WeightFormat,
  type WeightRole,
} from './weight-formats.ts'

export interface WeightBinder {
  /** A norm's scale, a bias: float32 of exactly these dimensions. */
  vector(name: string, dims: readonly number[]): Value
  /**
   * x [1, rows, inputs] times the stacked weights, each [outputs, inputs] as stored: [1, rows, sum of outputs]. One product where the
   * formats of the parts allow it.
   */
  linear(x: Value, parts: readonly LinearPart[], options: LinearOptions): Value
  /** Rows of a table [vocab, hidden] by token id: [rows, hidden]. */
  embedding(tokens: Value, name: string, size: { readonly vocab: number; readonly hidden: number }): Value
  has(name: string): boolean
  /** Formats by role, for the plan. */
  readonly formats: ReadonlyMap<string, string>
  /** Whether a step of one row has to be padded to two. */
  readonly needsTwoRows: boolean
  /** Tensors of the checkpoint that nothing has asked for. */
  unused(): readonly string[]
}

export interface LinearPart {
  readonly name: string
  readonly outputs: number
  readonly bias?: string
}

export interface LinearOptions {
  readonly role: WeightRole
  readonly inputs: number
  /** Bias of the whole, where there is one part. */
  readonly bias?: string
}

export interface WeightBinderOptions {
  readonly graph: Graph
  readonly weights: NamedWeights
  readonly format: WeightFormat
  readonly checkpoint: string
}

export function createWeightBinder({ graph, weights, format, checkpoint }: WeightBinderOptions): WeightBinder {
  const used = new Set<string>()
  const vectors = new Map<string, Value>()
  const packedWeights = new Map<string, LinearWeight>()
  const packedNames = new Set<string>()
  const formats = new Map<string, string>()
  let padsSingleRows = false

  function require(name: string, dims: readonly number[]): NamedWeight {
    const weight = weights.find(name)
    if (weight === undefined) {
      throw new CheckpointError({ file: checkpoint, tensor: name, found: 'no such tensor', expected: `one of shape [${dims.join(', ')}]` })
    }
    const { shape, file } = weight.info
    if (shape.length !== dims.length || shape.some((dim, axis) => dim !== dims[axis])) {
      throw new ShapeError({ file, tensor: name, found: `[${shape.join(', ')}]`, expected: `[${dims.join(', ')}] by the configuration` })
    }
    used.add(weight.info.name)
    return weight
  }
  const read = (weight: NamedWeight): Promise<StoredTensor> => weights.store.read(weight.info.name)

  function vector(name: string, dims: readonly number[]): Value {
    const known = vectors.get(name)
    if (known !== undefined) return known
    const weight = require(name, dims)
    const load = async () => ({ values: reorder(decodeToFloat32(await read(weight)), weight.rowOrder) })
    const value = graph.initializer(name, 'float32', dims, { group: { load }, part: 'values' })
    vectors.set(name, value)
    return value
  }

  /** One object for each weight and format: an embedding and the head that is tied to it share their initialisers. */
  function packed(parts: readonly LinearPart[], found: readonly NamedWeight[], inputs: number, chosen: LinearFormat): LinearWeight {
    const name = parts.map((part) => part.name).join('+')
    const key = `${name} ${formatName(chosen)}`
    const known = packedWeights.get(key)
    if (known !== undefined) return known
    const weight: LinearWeight = {
      name: packedNames.has(name) ? `${name}.${formatName(chosen)}` : name,
      outputs: parts.reduce((sum, part) => sum + part.outputs, 0),
      inputs,
      format: chosen,
      load: async () => {
        const stored = []
        for (const each of found)
          stored.push({ stored: await read(each), ...(each.rowOrder === undefined ? {} : { rowOrder: each.rowOrder }) })
        return packStored(stored, chosen)
      },
    }
    packedNames.add(name)
    packedWeights.set(key, weight)
    padsSingleRows ||= needsTwoRows(chosen)
    return weight
  }

  function biased(x: Value, parts: readonly LinearPart[]): Value {
    const names = parts.flatMap((part) => (part.bias === undefined ? [] : [{ bias: part.bias, outputs: part.outputs }]))
    if (names.length === 0) return x
    if (names.length !== parts.length) throw new RangeError(`a bias for all of ${parts.map((part) => part.name).join(', ')} or for none`)
    const biases = names.map(({ bias, outputs }) => ({ outputs, weight: require(bias, [outputs]) }))
    const total = biases.reduce((sum, each) => sum + each.outputs, 0)
    const load = async () => {
      const values = new Float32Array(total)
      let at = 0
      for (const { weight, outputs } of biases) {
        values.set(reorder(decodeToFloat32(await read(weight)), weight.rowOrder), at)
        at += outputs
      }
      return { values }
    }
    const bias = graph.initializer(names.map((each) => each.bias).join('+'), 'float32', [total], { group: { load }, part: 'values' })
    return add(x, bias)
  }

  return {
    vector,
    formats,
    get needsTwoRows() {
      return padsSingleRows
    },
    has: (name) => weights.find(name) !== undefined,
    linear(x, parts, options) {
      const withBias = parts.map((part) => (options.bias === undefined ? part : { ...part, bias: options.bias }))
      const found = withBias.map((part) => require(part.name, [part.outputs, options.inputs]))
      const chosen = found.map((weight) => linearFormat(format, options.role, weight.info.encoding))
      const [first] = chosen
      if (first === undefined) throw new RangeError('a linear layer has at least one part')
      for (const each of chosen) noteFormat(formats, options.role, formatName(each))
      if (chosen.every((each) => sameFormat(each, first)))
        return biased(linear(x, packed(withBias, found, options.inputs, first)), withBias)
      const products = withBias.map((part, index) => {
        const weight = found[index]
        const own = chosen[index]
        if (weight === undefined || own === undefined) throw new RangeError('a part without a weight')
        return linear(x, packed([part], [weight], options.inputs, own))
      })
      return biased(concat(products, { axis: -1 }), withBias)
    },
    embedding(tokens, name, { vocab, hidden }) {
      const weight = require(name, [vocab, hidden])
      const chosen = embeddingFormat(format, weight.info.encoding)
      noteFormat(formats, 'embedding', formatName(chosen))
      if (chosen.kind !== 'f32') return embedding(tokens, packed([{ name, outputs: vocab }], [weight], hidden, chosen))
      return embedding(tokens, { name: `${name}.table`, rows: vocab, width: hidden, load: async () => decodeToFloat32(await read(weight)) })
    },
    unused: () => [...weights.store.tensors.keys()].filter((name) => !used.has(name)),
  }
}

function noteFormat(formats: Map<string, string>, role: string, name: string): void {
  const known = formats.get(role)?.split(', ') ?? []
  if (!known.includes(name)) formats.set(role, [...known, name].join(', '))
}

/** A bias of permuted rows is permuted like them. */
function reorder(values: Float32Array, rowOrder: Int32Array | undefined): Float32Array {
  return rowOrder === undefined ? values : Float32Array.from(rowOrder, (row) => values[row] ?? 0)
}
