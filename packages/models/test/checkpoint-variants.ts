/** Checkpoints made in memory from a fixture: other names, other configurations, GGUF. Nothing is written to disk. */
import { readFile } from 'node:fs/promises'
import {
  bytesSource,
  decodeToFloat32,
  type GgufValue,
  openGguf,
  openSafetensors,
  openWeights,
  quantizeBlocks,
  type WritableBlocks,
  writeGguf,
  writeSafetensors,
} from '@foretoken/weights'
import { ggufCheckpoint } from '../src/checkpoint/gguf-checkpoint.ts'
import { huggingFaceCheckpoint } from '../src/checkpoint/hugging-face-checkpoint.ts'
import { type Checkpoint, loadCausalLM, type WeightFormat } from '../src/index.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'

export interface PlainTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
  /** How it is written; float32 when absent. */
  readonly encoding?: WritableBlocks
}

export interface FixtureParts {
  readonly folder: string
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: Map<string, PlainTensor>
  readonly tokens: Int32Array
}

/** The parts of a fixture, the caller's own. */
export async function fixtureParts(name: string): Promise<FixtureParts> {
  const { folder, inputIds } = await checkpointFixture(name)
  const config: Record<string, unknown> = JSON.parse(await readFile(`${folder}/config.json`, 'utf8'))
  await using store = await openWeights(`${folder}/model.safetensors`)
  const tensors = new Map<string, PlainTensor>()
  for (const { name: each, shape } of store.tensors.values()) {
    tensors.set(each, { shape, data: decodeToFloat32(await store.read(each)).slice() })
  }
  return { folder, config, tensors, tokens: Int32Array.from(inputIds[0] ?? []) }
}

export async function checkpointOf(
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, PlainTensor>,
): Promise<Checkpoint> {
  const store = await openSafetensors(bytesSource(Buffer.concat(writeSafetensors(writable(tensors))), 'model.safetensors'))
  return huggingFaceCheckpoint(store, {
    name: 'variant',
    read: async (file) => (file === 'config.json' ? JSON.stringify(config) : undefined),
  })
}

/** @param metadata  keys below the architecture's name: whole numbers as uint32, others as float32 */
export async function ggufOf(
  architecture: string,
  metadata: Readonly<Record<string, number | boolean | string>>,
  tensors: ReadonlyMap<string, PlainTensor>,
): Promise<Checkpoint> {
  const entries = Object.entries(metadata).map(([key, value]): [string, GgufValue] => [`${architecture}.${key}`, ggufValue(value)])
  const bytes = Buffer.concat(
    writeGguf(
      writable(tensors),
      new Map<string, GgufValue>([['general.architecture', { type: 'string', value: architecture }], ...entries]),
    ),
  )
  return ggufCheckpoint(await openGguf(bytesSource(bytes, 'model.gguf')), 'model.gguf')
}

/** [tokens, vocab] of the whole text in one step; closes the checkpoint. */
export async function logitsOf(source: string | Checkpoint, tokens: Int32Array, format: WeightFormat = 'f32'): Promise<Float32Array> {
  await using lm = await loadCausalLM(source, { format, selfTest: false })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens, cache, want: { logits: 'all' } })
  return logits?.data ?? new Float32Array(0)
}

/** Rows of a matrix in another order. */
export function withRows({ shape, data }: PlainTensor, order: readonly number[]): PlainTensor {
  const width = data.length / (shape[0] ?? 1)
  const out = new Float32Array(order.length * width)
  order.forEach((row, at) => {
    out.set(data.subarray(row * width, (row + 1) * width), at * width)
  })
  return { shape: [order.length, ...shape.slice(1)], data: out }
}

export function transposed({ shape: [rows = 0, columns = 0], data }: PlainTensor): PlainTensor {
  return { shape: [columns, rows], data: Float32Array.from(data, (_, at) => data[(at % rows) * columns + Math.floor(at / rows)] ?? 0) }
}

function writable(tensors: ReadonlyMap<string, PlainTensor>) {
  return [...tensors].map(([name, { shape, data, encoding }]) => ({
    name,
    encoding: encoding ?? ('F32' as const),
    shape,
    bytes: encoding === undefined ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : quantizeBlocks(data, encoding),
  }))
}

function ggufValue(value: number | boolean | string): GgufValue {
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'boolean') return { type: 'bool', value }
  return { type: Number.isInteger(value) ? 'uint32' : 'float32', value }
}
