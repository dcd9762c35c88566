/** The tiny checkpoints of `fixtures/checkpoints` and what the reference computed from them. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { decodeToFloat32, openWeights } from '@foretoken/weights'

export interface CheckpointFixture {
  readonly folder: string
  readonly inputIds: readonly (readonly number[])[]
  readonly greedy: { readonly prompt: readonly number[]; readonly ids: readonly number[]; readonly idsWithCache?: readonly number[] }
  /** Float32 elements of a tensor of expected.safetensors. */
  expected(name: string): Promise<Float32Array>
  has(name: string): Promise<boolean>
}

export async function checkpointFixture(
  name: string,
  root = new URL('./fixtures/checkpoints/', import.meta.url),
): Promise<CheckpointFixture> {
  const folder = fileURLToPath(new URL(`${name}/`, root))
  const { inputIds, greedy } = JSON.parse(await readFile(`${folder}/expected.json`, 'utf8')) as Pick<
    CheckpointFixture,
    'inputIds' | 'greedy'
  >
  const file = `${folder}/expected.safetensors`
  return {
    folder,
    inputIds,
    greedy,
    async expected(tensor) {
      await using store = await openWeights(file)
      return decodeToFloat32(await store.read(tensor))
    },
    async has(tensor) {
      await using store = await openWeights(file)
      return store.tensors.has(tensor)
    },
  }
}

export function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let at = 0; at < expected.length; at++)
    largest = Math.max(largest, Math.abs((found[at] ?? Number.NaN) - (expected[at] ?? Number.NaN)))
  return largest
}
