/** Copies of the tiny checkpoints with one thing changed, or written as llama.cpp names and transforms them; removed when disposed of. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeToFloat32, type GgufValue, openWeights, writeGguf, writeSafetensors } from '@foretoken/weights'
import { checkpointFixture } from './checkpoint-fixture.ts'

export interface NumericTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface CheckpointCopy extends AsyncDisposable {
  readonly path: string
}

export interface CheckpointChange {
  /** Keys to set; `undefined` removes one. */
  readonly config?: Record<string, unknown>
  /** Takes the whole configuration to another. */
  readonly wholeConfig?: (config: Record<string, unknown>) => Record<string, unknown>
  readonly tensors?: (tensors: Map<string, NumericTensor>) => void
}

export async function changedCopy(name: string, { config, wholeConfig, tensors: change }: CheckpointChange): Promise<CheckpointCopy> {
  const { folder } = await checkpointFixture(name)
  const path = await mkdtemp(join(tmpdir(), 'checkpoint-copy-'))
  const read = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
  const changed = { ...read, ...config }
  await writeFile(join(path, 'config.json'), JSON.stringify(wholeConfig === undefined ? changed : wholeConfig(changed)))
  const tensors = await readTensors(folder)
  change?.(tensors)
  await writeFile(join(path, 'model.safetensors'), Buffer.concat(writeSafetensors(written(tensors))))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

export interface GgufForm {
  readonly architecture: string
  /** Metadata below the architecture's prefix. */
  readonly metadata: Record<string, GgufValue>
  /** llama.cpp's name for one of Hugging Face's, with the data as it stores them; undefined where it has no such tensor. */
  tensor(name: string, tensor: NumericTensor): ({ readonly name: string } & Partial<NumericTensor>) | undefined
  /** Tensors that are in the file besides. */
  readonly extra?: ReadonlyMap<string, NumericTensor>
}

/** @param folder  a folder with one model.safetensors */
export async function asGguf(folder: string, form: GgufForm): Promise<CheckpointCopy> {
  const tensors = new Map<string, NumericTensor>(form.extra)
  for (const [name, tensor] of await readTensors(folder)) {
    const stored = form.tensor(name, tensor)
    if (stored !== undefined) tensors.set(stored.name, { shape: stored.shape ?? tensor.shape, data: stored.data ?? tensor.data })
  }
  const metadata = new Map<string, GgufValue>([['general.architecture', { type: 'string', value: form.architecture }]])
  for (const [key, value] of Object.entries(form.metadata)) metadata.set(`${form.architecture}.${key}`, value)
  const scratch = await mkdtemp(join(tmpdir(), 'gguf-copy-'))
  const path = join(scratch, 'model.gguf')
  await writeFile(path, Buffer.concat(writeGguf(written(tensors), metadata)))
  return { path, [Symbol.asyncDispose]: () => rm(scratch, { recursive: true }) }
}

export const uint32 = (value: number): GgufValue => ({ type: 'uint32', value })
export const float32 = (value: number): GgufValue => ({ type: 'float32', value })
export const text = (value: string): GgufValue => ({ type: 'string', value })

async function readTensors(folder: string): Promise<Map<string, NumericTensor>> {
  await using store = await openWeights(join(folder, 'model.safetensors'))
  const tensors = new Map<string, NumericTensor>()
  for (const { name, shape } of store.tensors.values()) tensors.set(name, { shape, data: decodeToFloat32(await store.read(name)) })
  return tensors
}

function written(tensors: ReadonlyMap<string, NumericTensor>) {
  return [...tensors].map(([name, { shape, data }]) => ({
    name,
    encoding: 'F32' as const,
    shape,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }))
}
