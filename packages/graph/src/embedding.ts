/**
 * Rows of an embedding table, looked up by token id. Tables stay as compact as they came: 8-bit blocks are gathered as bytes
 * and only the rows in use become float32.
 */
import type { LinearFormat } from '@foretoken/tensor'
import { ArgumentError } from '@foretoken/tensor'
import { INDICES } from './element-type.ts'
import type { Graph } from './graph.ts'
import { type LinearWeight, weightPart } from './linear.ts'
import type { DataGroup } from './node.ts'
import { compositeCall, type NodeOptions, requireType } from './operator.ts'
import { cast, multiply, subtract } from './operators/elementwise.ts'
import { gather } from './operators/gathering.ts'
import { slice } from './operators/joining.ts'
import { reshape, unsqueeze } from './operators/shape.ts'
import type { Value } from './value.ts'

/** A table [rows, width] of float32. */
export interface EmbeddingTable {
  readonly name: string
  readonly rows: number
  readonly width: number
  load(): Promise<Float32Array>
}

/**
 * @param ids    int64 or int32, any dimensions
 * @param table  float32 rows, or a linear weight in 8-bit blocks without minima (outputs: rows, inputs: width). The same
 *               object as the output layer's weight shares its bytes in a file of weights.
 * @returns      float32 [...ids, width]
 */
export function embedding(ids: Value, table: EmbeddingTable | LinearWeight, { name = table.name }: NodeOptions = {}): Value {
  const { graph } = ids
  requireType(compositeCall('embedding', name, { ids }, graph), 'ids', INDICES)
  return graph.scope(name, () => ('format' in table ? blockRows(ids, table, table.format) : gather(floatTable(graph, table), ids)))
}

function blockRows(ids: Value, weight: LinearWeight, format: LinearFormat): Value {
  if (format.kind !== 'blocks' || format.bits !== 8 || format.hasMinima) {
    const found = format.kind === 'blocks' ? `${format.bits}-bit blocks${format.hasMinima ? ' with minima' : ''}` : format.kind
    throw new ArgumentError({ tensor: weight.name, found, expected: '8-bit blocks without minima, or a table of float32' })
  }
  const { graph } = ids
  const blocks = Math.ceil(weight.inputs / format.blockSize)
  const padded = blocks * format.blockSize
  // Tensors of their own over the same bytes: a product makes its own copy of a weight and lets go of it, which it could not
  // if rows were still looked up in it. So of a mapped table only the rows in use stay in memory.
  const own = { name: `${weight.name}.table` }
  const values = gather(weightPart(graph, weight, 'values', 'uint8', [weight.outputs, blocks, format.blockSize], own), ids)
  const scales = gather(weightPart(graph, weight, 'scales', 'float32', [weight.outputs, blocks], own), ids)
  const rows = multiply(subtract(cast(values, 'float32'), 128), unsqueeze(scales, [-1]))
  const joined = reshape(rows, [...ids.dims, padded])
  return padded === weight.inputs ? joined : slice(joined, { axis: -1, end: weight.inputs })
}

const tables = new WeakMap<Graph, Map<EmbeddingTable, Value>>()

function floatTable(graph: Graph, table: EmbeddingTable): Value {
  const known = tables.get(graph) ?? new Map<EmbeddingTable, Value>()
  tables.set(graph, known)
  const existing = known.get(table)
  if (existing !== undefined) return existing
  const group: DataGroup = { load: async () => ({ values: await table.load() }) }
  const value = graph.initializer(`${table.name}.values`, 'float32', [table.rows, table.width], { group, part: 'values' })
  known.set(table, value)
  return value
}
