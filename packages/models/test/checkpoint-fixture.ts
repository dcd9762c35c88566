/** The tiny checkpoints of `fixtures/checkpoints` and what the reference computed from them, in Node and in a page. */
import { blobFiles, bytesSource, decodeToFloat32, openSafetensors, openWeightFiles, readFileText } from '@foretoken/weights'
import { huggingFaceCheckpoint } from '../src/checkpoint/hugging-face-checkpoint.ts'
import type { Checkpoint } from '../src/index.ts'
import { fixtureBytes, fixtureText, fixtureUrl } from './fixture-bytes.ts'

export interface CheckpointFixture {
  /** Its path; of use in Node. */
  readonly folder: string
  readonly inputIds: readonly (readonly number[])[]
  readonly greedy: { readonly prompt: readonly number[]; readonly ids: readonly number[]; readonly idsWithCache?: readonly number[] }
  /** Opens it from bytes in memory, with other keys in its configuration; whoever takes it closes it. */
  open(change?: object): Promise<Checkpoint>
  /** Float32 elements of a tensor of expected.safetensors. */
  expected(name: string): Promise<Float32Array>
  has(name: string): Promise<boolean>
}

const ONE_FILE = ['config.json', 'model.safetensors']
/** Of the one checkpoint that is in parts. */
const PARTS = ['config.json', 'model.safetensors.index.json', 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']

export async function checkpointFixture(name: string): Promise<CheckpointFixture> {
  const place = `checkpoints/${name}`
  const { inputIds, greedy }: Pick<CheckpointFixture, 'inputIds' | 'greedy'> = JSON.parse(await fixtureText(`${place}/expected.json`))
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined
  const reference = async () => {
    reading ??= fixtureBytes(`${place}/expected.safetensors`)
    return openSafetensors(bytesSource(await reading, 'expected.safetensors'))
  }
  return {
    folder: await folderOf(place),
    inputIds,
    greedy,
    open: (change) => openFixture(place, name === 'llama-sharded' ? PARTS : ONE_FILE, change),
    async expected(tensor) {
      await using store = await reference()
      return decodeToFloat32(await store.read(tensor))
    },
    async has(tensor) {
      await using store = await reference()
      return store.tensors.has(tensor)
    },
  }
}

async function openFixture(place: string, names: readonly string[], change?: object): Promise<Checkpoint> {
  const blobs = await Promise.all(names.map(async (name) => [name, new Blob([await fixtureBytes(`${place}/${name}`)])] as const))
  const files = blobFiles(new Map(blobs))
  const read = async (file: string) => {
    const text = await readFileText(files, file)
    return text === undefined || change === undefined || file !== 'config.json' ? text : JSON.stringify({ ...JSON.parse(text), ...change })
  }
  return await huggingFaceCheckpoint(await openWeightFiles(files), { name: place, read })
}

async function folderOf(place: string): Promise<string> {
  const url = fixtureUrl(`${place}/`)
  if (url.protocol !== 'file:') return url.href
  const { fileURLToPath } = await import('node:url')
  return fileURLToPath(url)
}

export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let at = 0; at < expected.length; at++)
    largest = Math.max(largest, Math.abs((found[at] ?? Number.NaN) - (expected[at] ?? Number.NaN)))
  return largest
}
