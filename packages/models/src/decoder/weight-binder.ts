/**
 * Weights by name while a graph is built: finds a tensor in the checkpoint, checks its shape against what the configuration says,
 * declares the initialiser that will hold it, and remembers what was used. No bytes are read until the graph is written.
 */
import { add, concat, embedding, type Graph, type LinearWeight, linear, rotateRows, type Value } from '@foretoken/graph'
import { hadamardBlocks, type LinearFormat, type Rotation, rowRotator, ShapeError } from '@foretoken/tensor'
import { decodeToFloat32, packStored, type StackedPart, type StoredTensor, type WeightBasis } from '@foretoken/weights'
import type { AdapterBinding } from '../adapters/adapter-binding.ts'
import type { NamedWeight, NamedWeights } from '../checkpoint/checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { type Basis, basisKey, WIDEST_INNER_BLOCK } from './basis.ts'
import { embeddingFormat, formatName, linearFormat, needsTwoRows, type Packing, sameFormat, type WeightRole } from './weight-formats.ts'

export interface WeightBinder {
  /** A norm's scale, a bias, a small table: float32 of exactly these dimensions, with `offset` added to each element. */
  vector(name: string, dims: readonly number[], options?: { readonly offset?: number }): Value
  /** A small float32 table that is computed from a tensor when it is loaded. @param stored  the shapes that the tensor may have */
  derived(name: string, stored: readonly (readonly number[])[], table: DerivedTable): Value
  /** Chosen rows of a matrix `stored` as a float32 table of `dims`. @param order  for each row of the table the stored one */
  rows(
    name: string,
    table: { readonly stored: readonly [number, number]; readonly order: Int32Array; readonly dims: readonly number[] },
  ): Value
  /**
   * x [1, rows, inputs] times the stacked weights, each [outputs, inputs] as stored: [1, rows, sum of outputs]. One product where the
   * formats of the parts allow it.
   */
  linear(x: Value, parts: readonly LinearPart[], options: LinearOptions): Value
  /** Rows of a table [vocab, hidden] by token id: [rows, hidden]. */
  embedding(tokens: Value, name: string, size: { readonly vocab: number; readonly hidden: number }): Value
  has(name: string): boolean
  /** What the residual stream is rotated by, where it is. */
  readonly streamRotation: Rotation | undefined
  /** Says in which basis the rows of x are: products of x get a weight for it. @returns x */
  inBasis(x: Value, basis: Basis | undefined): Value
  /** What was said of x; undefined for rows as they were trained. */
  basisOf(x: Value): Basis | undefined
  /** x [..., width] with its outliers spread for the product that reads it, where the stream is rotated. */
  spread(x: Value, width: number): Value
  /** Whether products of these parts are the same bits for one row only beside another one, so that a single row has to be doubled. */
  doublesSingleRows(parts: readonly LinearPart[], role: WeightRole): boolean
  /** Formats by role, for the plan. */
  readonly formats: ReadonlyMap<string, string>
  /** Whether a step of one row has to be padded to two. */
  readonly needsTwoRows: boolean
  /** Tensors of the checkpoint that nothing has asked for. */
  unused(): readonly string[]
}

export interface DerivedTable {
  readonly dims: readonly number[]
  values(stored: Float32Array): Float32Array
}

export interface LinearPart {
  readonly name: string
  /** Rows that this part contributes. */
  readonly outputs: number
  /** Name of the bias [storedOutputs], in the stored order of rows. */
  readonly bias?: string
  /** For each output the stored row, where the checkpoint has another order or more rows. */
  readonly rowOrder?: Int32Array
  /** Rows that are stored, where these are not `outputs`. */
  readonly storedOutputs?: number
  /** Stored as [inputs, outputs] (GPT-2's Conv1D). */
  readonly isTransposed?: boolean
  /** Weight and bias are one of several that lie in one tensor [of, …] (the experts of a layer). Only this one is read when it is needed. */
  readonly slice?: Slice
}

export interface Slice {
  readonly index: number
  readonly of: number
}

export interface LinearOptions {
  readonly role: WeightRole
  readonly inputs: number
  /** Whether the result is added to the residual stream, and so has to be in the stream's basis. */
  readonly isAddedToStream?: boolean
}

export interface WeightBinderOptions {
  readonly graph: Graph
  readonly weights: NamedWeights
  readonly packing: Packing
  readonly checkpoint: string
  readonly adapters?: AdapterBinding
  /** Rows of the head that are wanted; all when absent. */
  readonly headTokens?: Int32Array | undefined
}

export function createWeightBinder({ graph, weights, packing, checkpoint, adapters, headTokens }: WeightBinderOptions): WeightBinder {
  const used = new Set<string>()
  const vectors = new Map<string, Value>()
  const packedWeights = new Map<string, LinearWeight>()
  const packedNames = new Set<string>()
  const formats = new Map<string, string>()
  const bases = new WeakMap<Value, Basis>()
  let padsSingleRows = false

  function require(name: string, sizes: readonly number[], slice?: Slice): NamedWeight {
    const dims = slice === undefined ? sizes : [slice.of, ...sizes]
    const weight = weights.find(name)
    if (weight === undefined) {
      throw new CheckpointError({ file: checkpoint, tensor: name, found: 'no such tensor', expected: `one of shape [${dims.join(', ')}]` })
    }
    const { file } = weight.info
    const shape = asMatrix(weight.info.shape, dims)
    if (shape.length !== dims.length || shape.some((dim, axis) => dim !== dims[axis])) {
      throw new ShapeError({ file, tensor: name, found: `[${shape.join(', ')}]`, expected: `[${dims.join(', ')}] by the configuration` })
    }
    used.add(weight.info.name)
    return weight
  }
  async function read(weight: NamedWeight, slice?: Slice): Promise<StoredTensor> {
    if (slice === undefined) return weights.store.read(weight.info.name)
    const stored = await weights.store.read(weight.info.name, { firstRow: slice.index, rows: 1 })
    return { ...stored, shape: stored.shape.slice(1) }
  }

  function vector(name: string, dims: readonly number[], { offset = 0 }: { readonly offset?: number } = {}): Value {
    const unique = offset === 0 ? name : `${name}+${offset}`
    const known = vectors.get(unique)
    if (known !== undefined) return known
    const weight = require(name, dims)
    const load = async () => ({
      values: shifted(reordered(decodeToFloat32(await read(weight)), weight.rowOrder), offset + (weight.offset ?? 0)),
    })
    const value = graph.initializer(unique, 'float32', dims, { group: { load }, part: 'values' })
    vectors.set(unique, value)
    return value
  }

  function inBasis(x: Value, basis: Basis | undefined): Value {
    if (basis !== undefined) bases.set(x, basis)
    return x
  }

  /** What a weight is multiplied by so that it reads rows of the basis, and gives rotated ones. */
  async function weightBasis(basis: Basis | undefined, outputs: Rotation | undefined, inputs: number): Promise<WeightBasis | undefined> {
    if (basis === undefined && outputs === undefined) return undefined
    const { rotation, scale } = basis ?? {}
    if (scale === undefined) return { inputs: rotation, outputs }
    const weight = require(scale.weight, [inputs])
    const values = shifted(decodeToFloat32(await read(weight)), (scale.offset ?? 0) + (weight.offset ?? 0))
    return { scale: values, inputs: rotation, outputs }
  }

  /** One object for each choice of rows, format and basis: an embedding and the head that is tied to it share their initialisers. */
  function packed(
    parts: readonly FoundPart[],
    inputs: number,
    chosen: LinearFormat,
    { basis, outputs: rotated }: { readonly basis?: Basis | undefined; readonly outputs?: Rotation | undefined } = {},
  ): LinearWeight {
    const name = parts.map(rowsName).join('+')
    // what is merged into a head is not meant for the embedding that it is tied to
    const key = [name, formatName(chosen), parts.some(({ isMerged }) => isMerged), basisKey(basis), rotated?.width].join(' ')
    const known = packedWeights.get(key)
    if (known !== undefined) return known
    const weight: LinearWeight = {
      name: packedNames.has(name) ? `${name}.${formatName(chosen)}` : name,
      outputs: parts.reduce((sum, part) => sum + part.outputs, 0),
      inputs,
      format: chosen,
      load: async () => {
        const stored: StackedPart[] = []
        for (const part of parts) {
          const { weight: each, rowOrder, isTransposed, slice } = part
          const order = composed(rowOrder, each.rowOrder)
          const own = await read(each, slice)
          const whole = adapters !== undefined && part.isMerged ? adapters.merged(own, part, storedLayout(part, inputs)) : own
          stored.push({
            stored: { ...whole, shape: asMatrix(whole.shape, [1, inputs]) },
            ...(order && { rowOrder: order }),
            ...(isTransposed && { isTransposed }),
          })
        }
        return packStored(stored, chosen, await weightBasis(basis, rotated, inputs))
      },
    }
    packedNames.add(name)
    packedWeights.set(key, weight)
    padsSingleRows ||= needsTwoRows(chosen)
    return weight
  }

  function biased(x: Value, parts: readonly FoundPart[], rotated: Rotation | undefined): Value {
    const biases = parts.flatMap(({ bias, rowOrder, outputs, storedOutputs = outputs, slice }) =>
      bias === undefined ? [] : [{ name: sliceName(bias, slice), weight: require(bias, [storedOutputs], slice), outputs, rowOrder, slice }],
    )
    if (biases.length === 0) return x
    if (biases.length !== parts.length) throw new RangeError(`a bias for all of ${parts.map(rowsName).join(', ')} or for none`)
    const total = biases.reduce((sum, each) => sum + each.outputs, 0)
    const load = async () => {
      const values = new Float32Array(total)
      let at = 0
      for (const { weight, outputs, rowOrder, slice } of biases) {
        values.set(reordered(decodeToFloat32(await read(weight, slice)), composed(rowOrder, weight.rowOrder)), at)
        if (rotated !== undefined) rowRotator(rotated)(values, at, 1)
        at += outputs
      }
      return { values }
    }
    const wanted = biases.map((each) => each.name).join('+')
    const name = graph.initializers.has(wanted) ? `${wanted} of ${parts.map(rowsName).join('+')}` : wanted
    return add(x, graph.initializer(name, 'float32', [total], { group: { load }, part: 'values' }))
  }

  function formatOf({ weight, isTransposed, isMerged }: FoundPart, role: WeightRole): LinearFormat {
    // blocks run along the inputs: those of a transposed weight cannot be carried over, nor those of one that an adapter changes
    return linearFormat(packing, role, isTransposed || isMerged ? 'F32' : weight.info.encoding)
  }

  function derived(name: string, stored: readonly (readonly number[])[], { dims, values }: DerivedTable): Value {
    const shape = weights.find(name)?.info.shape
    const weight = require(name, stored.find((each) => sameShape(each, shape)) ?? stored[0] ?? dims)
    const load = async () => ({ values: values(decodeToFloat32(await read(weight))) })
    return graph.initializer(`${name}.table`, 'float32', dims, { group: { load }, part: 'values' })
  }

  return {
    vector,
    streamRotation: packing.rotation,
    inBasis,
    basisOf: (x) => bases.get(x),
    spread(x, width) {
      const rotation = packing.rotation === undefined ? undefined : hadamardBlocks(width, WIDEST_INNER_BLOCK)
      return rotation === undefined ? x : inBasis(rotateRows(x, rotation), { rotation })
    },
    rows(name, { stored, order, dims }) {
      const weight = require(name, stored)
      const load = async () => ({
        values: chosenRows(decodeToFloat32(await read(weight)), composed(order, weight.rowOrder) ?? order, stored[1]),
      })
      return graph.initializer(`${name}[${order[0]}+${order.length}]`, 'float32', dims, { group: { load }, part: 'values' })
    },
    derived,
    formats,
    doublesSingleRows: (parts, role) =>
      parts.some((part) => {
        const weight = weights.find(part.name)
        return weight !== undefined && needsTwoRows(formatOf({ ...part, weight }, role))
      }),
    get needsTwoRows() {
      return padsSingleRows
    },
    has: (name) => weights.find(name) !== undefined,
    linear(x, whole, { role, inputs, isAddedToStream = false }) {
      const parts =
        role === 'head' && headTokens !== undefined ? whole.map((part) => ({ ...part, ...chosenOutputs(part, headTokens) })) : whole
      const found = parts.map((part): FoundPart => {
        const { outputs, storedOutputs = outputs } = part
        // the file may hold the transpose of what Hugging Face's names stand for
        const isTransposed = (part.isTransposed ?? false) !== (weights.find(part.name)?.isTransposed ?? false)
        const dims = isTransposed ? [inputs, storedOutputs] : [storedOutputs, inputs]
        const isMerged = part.slice === undefined && (adapters?.mergesInto(part, inputs) ?? false)
        return { ...part, isTransposed, isMerged, weight: require(part.name, dims, part.slice) }
      })
      const chosen = found.map((part) => formatOf(part, role))
      const [first] = chosen
      if (first === undefined) throw new RangeError('a linear layer has at least one part')
      const options = { basis: bases.get(x), outputs: isAddedToStream ? packing.rotation : undefined }
      if (options.basis?.scale !== undefined) require(options.basis.scale.weight, [inputs])
      const columns = { splitColumns: packing.splitColumns }
      for (const each of chosen) noteFormat(formats, role, formatName(each))
      const single = (part: FoundPart, index: number) => linear(x, packed([part], inputs, chosen[index] ?? first, options), columns)
      const product = chosen.every((each) => sameFormat(each, first))
        ? linear(x, packed(found, inputs, first, options), columns)
        : concat(found.map(single), { axis: -1 })
      const isAdapted = adapters !== undefined && found.every(({ slice }) => slice === undefined)
      return biased(isAdapted ? adapters.adapted(product, x, found, inputs) : product, found, options.outputs)
    },
    embedding(tokens, name, { vocab, hidden }) {
      const weight = require(name, [vocab, hidden])
      const chosen = embeddingFormat(packing, weight.info.encoding)
      noteFormat(formats, 'embedding', formatName(chosen))
      if (chosen.kind !== 'f32') return embedding(tokens, packed([{ name, outputs: vocab, weight }], hidden, chosen))
      return embedding(tokens, { name: `${name}.table`, rows: vocab, width: hidden, load: async () => decodeToFloat32(await read(weight)) })
    },
    unused: () => [...weights.store.tensors.keys()].filter((name) => !used.has(name)),
  }
}

function sameShape(a: readonly number[], b: readonly number[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

function noteFormat(formats: Map<string, string>, role: string, name: string): void {
  const known = formats.get(role)?.split(', ') ?? []
  if (!known.includes(name)) formats.set(role, [...known, name].join(', '))
}

interface FoundPart extends LinearPart {
  readonly weight: NamedWeight
  /** Adapters are added to the weight before it is packed. */
  readonly isMerged?: boolean
}

function storedLayout({ weight: { rowOrder }, isTransposed = false }: FoundPart, inputs: number) {
  return { inputs, isTransposed, ...(rowOrder === undefined ? {} : { rowOrder }) }
}

/** A part that gives these of its outputs. */
function chosenOutputs({ outputs, storedOutputs = outputs, rowOrder }: LinearPart, chosen: Int32Array) {
  return { outputs: chosen.length, storedOutputs, rowOrder: rowOrder === undefined ? chosen : chosen.map((row) => rowOrder[row] ?? 0) }
}

/** A name for the rows that a part takes of its weight. */
function rowsName({ name, rowOrder, outputs, storedOutputs = outputs, slice }: LinearPart): string {
  const whole = sliceName(name, slice)
  return rowOrder === undefined || outputs === storedOutputs ? whole : `${whole}[${rowOrder[0]}+${outputs}]`
}

function sliceName(name: string, slice: Slice | undefined): string {
  return slice === undefined ? name : `${name}.${slice.index}`
}

/** The stored row of each output: the part's choice among the rows of the checkpoint, which may lie in another order in the file. */
function composed(rowOrder: Int32Array | undefined, stored: Int32Array | undefined): Int32Array | undefined {
  if (rowOrder === undefined || stored === undefined) return rowOrder ?? stored
  return rowOrder.map((row) => stored[row] ?? 0)
}

/** A bias of permuted rows is permuted like them. */
function reordered(values: Float32Array, rowOrder: Int32Array | undefined): Float32Array {
  return rowOrder === undefined ? values : Float32Array.from(rowOrder, (row) => values[row] ?? 0)
}

function chosenRows(values: Float32Array, order: Int32Array, width: number): Float32Array {
  const chosen = new Float32Array(order.length * width)
  order.forEach((row, at) => {
    chosen.set(values.subarray(row * width, (row + 1) * width), at * width)
  })
  return chosen
}

/** A matrix of one row may be stored as a vector (llama.cpp drops dimensions of 1). */
function asMatrix(shape: readonly number[], dims: readonly number[]): readonly number[] {
  return dims.length === 2 && dims[0] === 1 && shape.length === 1 ? [1, ...shape] : shape
}

function shifted(values: Float32Array, offset: number): Float32Array {
  return offset === 0 ? values : values.map((value) => value + offset)
}
