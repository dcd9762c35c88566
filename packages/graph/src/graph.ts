/**
 * A graph under construction. Operators are functions over values (`matMul(x, w)`); each adds a node to the block that is being
 * built, which is the graph itself or the innermost branch or loop body, and gives back values whose element type and
 * dimensions are known at once. Nodes stay plain data. Names: inputs, outputs and initialisers keep the name they are given;
 * nodes and the values they produce get the prefix of the scope they were made in.
 */
import { byteLengthOf, type DType, ShapeError } from '@foretoken/tensor'
import { constantBytes, constantKey } from './constant.ts'
import { canonicalDim, type Dim, isDim, showDims } from './dimension.ts'
import { GraphDataError, GraphError } from './errors.ts'
import { type Attribute, type Block, type Domain, type GraphNode, type Initializer, type InitializerData, isDeferred } from './node.ts'
import type { Value } from './value.ts'

/** Constants up to this size are kept once per content. */
const DEDUPLICATED_BYTES = 4096

export interface GraphOptions {
  readonly name: string
  /** Version of the standard operator set. The signatures here are those of 21, the default; anything lower is refused. */
  readonly opset?: number
}

export interface OutputSpec {
  readonly type: DType
  readonly dims: readonly Dim[]
  readonly known?: readonly Dim[] | undefined
}

export interface NodeSpec {
  readonly operator: string
  readonly domain: Domain
  /** As `nodeName` returned it. */
  readonly name: string
  readonly inputs: readonly (Value | undefined)[]
  readonly outputs: readonly (OutputSpec | undefined)[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

interface OpenBlock extends Block {
  readonly inputs: Value[]
  readonly outputs: Value[]
  readonly nodes: GraphNode[]
}

export class Graph {
  readonly name: string
  readonly opset: number
  readonly #main: OpenBlock
  #block: OpenBlock
  #scope = ''
  readonly #names = new Set<string>()
  readonly #nodeNames = new Set<string>()
  readonly #counters = new Map<string, number>()
  /** Where a value lives: the block that declares or computes it. Initialisers live in the outermost. */
  readonly #home = new Map<string, Block>()
  readonly #producers = new Map<string, GraphNode>()
  readonly #initializers = new Map<string, Initializer>()
  readonly #constants = new Map<string, Value>()
  readonly #outputNames = new Map<string, string>()

  constructor({ name, opset = 21 }: GraphOptions) {
    if (!Number.isInteger(opset) || opset < 21) throw new GraphError({ field: 'opset', found: `${opset}`, expected: '21 or later' })
    this.name = name
    this.opset = opset
    this.#main = { name, parent: undefined, inputs: [], outputs: [], nodes: [] }
    this.#block = this.#main
  }

  get main(): Block {
    return this.#main
  }
  get inputs(): readonly Value[] {
    return this.#main.inputs
  }
  get outputs(): readonly Value[] {
    return this.#main.outputs
  }
  /** The nodes of the graph in the order in which they run; branches and loop bodies are attributes of their node. */
  get nodes(): readonly GraphNode[] {
    return this.#main.nodes
  }
  get initializers(): ReadonlyMap<string, Initializer> {
    return this.#initializers
  }

  /** Declares an input. Symbols in its dimensions are bound to numbers when the graph runs. */
  input(name: string, type: DType, dims: readonly Dim[]): Value {
    const value = this.#declare(name, { type, dims: canonicalDims(name, dims) }, this.#main)
    this.#main.inputs.push(value)
    return value
  }

  /**
   * A tensor that is part of the model.
   *
   * @param data  its elements in row-major order, little-endian; referenced, never copied, so they must not change. Or where
   *              they are loaded from when the model is written.
   * @throws {GraphDataError} when the number of bytes is not what `type` and `dims` need
   */
  initializer(name: string, type: DType, dims: readonly number[], data: InitializerData): Value {
    const elements = dims.reduce((product, dim) => product * dim, 1)
    canonicalDims(name, dims)
    const byteLength = byteLengthOf(type, elements)
    if (!isDeferred(data) && data.byteLength !== byteLength) {
      const expected = `${byteLength} bytes for ${type} ${showDims(dims)}`
      throw new GraphDataError({ tensor: name, found: `${data.byteLength} bytes`, expected })
    }
    const value = this.#declare(name, { type, dims }, this.#main)
    this.#initializers.set(name, { value, dims, byteLength, data })
    return value
  }

  /** A small tensor written out. Equal constants are one initialiser. */
  constant(type: DType, dims: readonly number[], values: readonly (number | bigint)[]): Value {
    const elements = dims.reduce((product, dim) => product * dim, 1)
    if (values.length !== elements) {
      throw new ShapeError({
        field: 'constant',
        found: `${values.length} values for dimensions ${showDims(dims)}`,
        expected: `${elements} values`,
      })
    }
    const data = constantBytes(type, values)
    const key = data.byteLength <= DEDUPLICATED_BYTES ? constantKey(type, dims, data) : undefined
    const existing = key === undefined ? undefined : this.#constants.get(key)
    if (existing !== undefined) return existing
    const name = this.#freeName(this.#names, `constant.${type}.${values.length <= 4 ? values.join('_') : dims.join('x')}`)
    const initializer = this.initializer(name, type, dims, data)
    const isShape = type === 'int64' && dims.length <= 1 && values.length <= 64
    const known = isShape ? values.map((value) => Number(value)) : undefined
    const value = known === undefined ? initializer : { ...initializer, known }
    if (key !== undefined) this.#constants.set(key, value)
    return value
  }

  /**
   * Makes a value an output under a name. The tensor takes that name in the file; inputs, initialisers and values that are
   * an output already pass through an `Identity`.
   */
  output(name: string, value: Value): void {
    if (value.graph !== this) throw foreignValue(value, this)
    if (this.#block !== this.#main)
      throw new GraphError({
        field: `output ${name}`,
        found: 'a call inside of a branch or loop body',
        expected: 'a call outside: what the callback returns is its output',
      })
    this.#requireVisible(value, `output ${name}`)
    const isRenamed = this.#outputNames.has(value.name)
    const isComputed = this.#producers.has(value.name)
    const isTaken = name === value.name ? !isComputed : name === '' || this.#names.has(name)
    if (isTaken || this.outputs.some((output) => this.fileName(output) === name)) throw nameTaken('output', name)
    let source = value
    if (isRenamed || !isComputed) {
      const spec = {
        operator: 'Identity',
        domain: '' as const,
        name: this.nodeName(undefined, `output.${name}`),
        inputs: [value],
        attributes: {},
      }
      const [copy] = this.add({ ...spec, outputs: [{ type: value.type, dims: value.dims }] })
      if (copy === undefined) return
      source = copy
    }
    this.#names.add(name)
    this.#outputNames.set(source.name, name)
    this.#main.outputs.push(source)
  }

  /** The name that a value has in the file: that of the output it is, its own otherwise. */
  fileName(value: Value): string {
    return this.#outputNames.get(value.name) ?? value.name
  }

  /** Prefixes the names of the nodes that `build` makes, and of their values: `layer.3` gives `layer.3.MatMul`. Scopes nest. */
  scope<T>(name: string, build: () => T): T {
    return this.#inScope(`${this.#scope}${name}.`, build)
  }

  /** The node that computes a value; undefined for inputs and initialisers. */
  producerOf(value: Value): GraphNode | undefined {
    return this.#producers.get(value.name)
  }

  /** The elements of an initialiser or constant that lies in memory; undefined for all other values. */
  constantData(value: Value): ArrayBufferView | undefined {
    const data = this.#initializers.get(value.name)?.data
    return data === undefined || isDeferred(data) ? undefined : data
  }

  /** Whether a node that is added next may read this value: it belongs to this graph, and its branch or loop body is not finished. */
  isVisible(value: Value): boolean {
    if (value.graph !== this) return false
    const home = this.#home.get(value.name)
    for (let block: Block | undefined = this.#block; block !== undefined; block = block.parent) if (block === home) return true
    return false
  }

  // For operators.

  /** A free name for a node in the current scope. */
  nodeName(name: string | undefined, fallback: string): string {
    return this.#freeName(this.#nodeNames, `${this.#scope}${name ?? fallback}`)
  }

  /** Adds a node to the block that is being built. */
  add({ operator, domain, name, inputs, outputs, attributes }: NodeSpec): readonly (Value | undefined)[] {
    for (const input of inputs) if (input !== undefined) this.#requireVisible(input, `${operator} ${name}`)
    const values = outputs.map((spec, index) => {
      if (spec === undefined) return undefined
      const wanted = outputs.length === 1 ? name : `${name}.${index}`
      return this.#declare(this.#names.has(wanted) ? this.#freeName(this.#names, wanted) : wanted, spec, this.#block)
    })
    const node: GraphNode = { operator, domain, name, inputs, outputs: values, attributes }
    for (const value of values) if (value !== undefined) this.#producers.set(value.name, node)
    this.#block.nodes.push(node)
    return values
  }

  /**
   * Builds a branch or loop body: nodes that `build` makes go into it, and it may read every value that is visible outside.
   *
   * @param inputs  what the operator feeds into the body, by name
   */
  buildBlock(
    name: string,
    inputs: readonly (OutputSpec & { readonly name: string })[],
    build: (inputs: readonly Value[]) => readonly Value[],
  ): Block {
    const outer = this.#block
    const block: OpenBlock = { name, parent: outer, inputs: [], outputs: [], nodes: [] }
    this.#block = block
    try {
      for (const input of inputs) block.inputs.push(this.#declare(this.#freeName(this.#names, `${name}.${input.name}`), input, block))
      for (const result of this.#inScope(`${name}.`, () => build(block.inputs))) {
        this.#requireVisible(result, name)
        block.outputs.push(this.#ownOutput(block, result))
      }
    } finally {
      this.#block = outer
    }
    return block
  }

  /** Runs `build` with nodes going to the outermost block, for values that everything may share. */
  buildOutside<T>(build: () => T): T {
    const inner = this.#block
    this.#block = this.#main
    try {
      return build()
    } finally {
      this.#block = inner
    }
  }

  #inScope<T>(scope: string, build: () => T): T {
    const outer = this.#scope
    this.#scope = scope
    try {
      return build()
    } finally {
      this.#scope = outer
    }
  }

  /** ONNX wants each output of a body to be computed in it, and once: anything else passes through an `Identity`. */
  #ownOutput(block: OpenBlock, value: Value): Value {
    const isOwn = this.#home.get(value.name) === block && this.#producers.has(value.name)
    if (isOwn && !block.outputs.some((output) => output.name === value.name)) return value
    const name = this.nodeName(undefined, `${block.name}.output.${block.outputs.length}`)
    const spec = { operator: 'Identity', domain: '' as const, name, inputs: [value], attributes: {} }
    const [copy] = this.add({ ...spec, outputs: [{ type: value.type, dims: value.dims }] })
    return copy ?? value
  }

  #declare(name: string, { type, dims, known }: OutputSpec, home: Block): Value {
    if (name === '' || this.#names.has(name)) throw nameTaken('value', name)
    this.#names.add(name)
    this.#home.set(name, home)
    return known === undefined ? { graph: this, name, type, dims } : { graph: this, name, type, dims, known }
  }

  #requireVisible(value: Value, place: string): void {
    if (value.graph !== this) throw foreignValue(value, this)
    if (!this.isVisible(value)) {
      throw new GraphError({
        field: place,
        found: `${value.name}, which was computed in a branch or loop body that is finished`,
        expected: 'a value that is visible here',
      })
    }
  }

  #freeName(taken: Set<string>, wanted: string): string {
    let name = wanted
    while (taken.has(name)) {
      const count = (this.#counters.get(wanted) ?? 0) + 1
      this.#counters.set(wanted, count)
      name = `${wanted}_${count}`
    }
    if (taken === this.#nodeNames) taken.add(name)
    return name
  }
}

function canonicalDims(name: string, dims: readonly Dim[]): readonly Dim[] {
  for (const dim of dims) {
    if (!isDim(dim))
      throw new ShapeError({ tensor: name, found: `dimension '${dim}'`, expected: 'whole numbers from 0, or symbols joined by +, - and *' })
  }
  return dims.map(canonicalDim)
}

function nameTaken(what: string, name: string): GraphError {
  return new GraphError({
    field: `${what} '${name}'`,
    found: name === '' ? 'an empty name' : 'a name that is taken',
    expected: 'a name of its own',
  })
}

function foreignValue(value: Value, graph: Graph): GraphError {
  return new GraphError({
    field: graph.name,
    found: `${value.name}, a value of graph ${value.graph.name}`,
    expected: 'values of this graph',
  })
}
