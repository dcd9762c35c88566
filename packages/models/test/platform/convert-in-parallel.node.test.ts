import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { externalChunks } from '@foretoken/graph'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.ts'
import { PLAIN_OUTPUTS } from '../../src/decoder/outputs.ts'
import { encodeForStore } from '../../src/open-graph.ts'
import { convertPart, type PartJob, threadsFor } from '../../src/platform/convert-in-parallel.ts'
import { externalBytes } from '../../src/stored-model.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const SCRIPT = new URL('../../src/platform/convert-part.ts', import.meta.url)

let folder: string
let job: Omit<PartJob, 'index' | 'of'>
let expected: Uint8Array
let chunkBytes = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-test-'))
  const { folder: checkpoint } = await checkpointFixture('llama')
  await using opened = await openCheckpoint(checkpoint)
  const options = { packing: { format: 'int8', isSigned: false }, cacheType: 'float16', adapters: [] } as const
  const { encoded } = encodeForStore(opened, options, PLAIN_OUTPUTS)
  const totalBytes = externalBytes(encoded)
  expected = new Uint8Array(totalBytes)
  for await (const { offset, bytes } of externalChunks(encoded.external)) {
    expected.set(bytes, offset)
    chunkBytes += bytes.length
  }
  const { layers } = opened.description.config
  job = { ...options, checkpoint, layers, outputs: PLAIN_OUTPUTS, file: join(folder, 'weights.bin'), totalBytes }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function emptyFile(length: number): Promise<void> {
  await using file = await open(job.file, 'w')
  await file.truncate(length)
}

test('the parts of several threads are together what one thread converts', async () => {
  await emptyFile(job.totalBytes)
  let converted = 0
  const onConverted = (byteLength: number) => {
    converted += byteLength
  }
  const parts = [0, 1, 2].map((index) => convertPart({ ...job, index, of: 3 }, SCRIPT, onConverted))
  expect(await Promise.all(parts)).toEqual([true, true, true])
  expect(new Uint8Array(await readFile(job.file))).toEqual(expected)
  expect(converted).toBe(chunkBytes)
}, 60_000)

test('a part is left to the caller when its thread cannot start, or is stopped, or finds another model, and its progress is taken back', async () => {
  let converted = 0
  const onConverted = (byteLength: number) => {
    converted += byteLength
  }
  const part = { ...job, index: 0, of: 1 }
  expect(await convertPart(part, new URL('missing.ts', SCRIPT), onConverted)).toBe(false)
  expect(await convertPart(part, SCRIPT, onConverted, AbortSignal.abort())).toBe(false)
  expect(await convertPart({ ...part, totalBytes: job.totalBytes + 1 }, SCRIPT, onConverted)).toBe(false)
  expect(converted).toBe(0)
}, 60_000)

test('threads are worth it from 256 MB each', () => {
  const megabyte = 2 ** 20
  expect(threadsFor({ threads: 4 }, 500 * megabyte)).toBe(1)
  expect(threadsFor({ threads: 4 }, 600 * megabyte)).toBe(2)
  expect(threadsFor({ threads: 4 }, 9000 * megabyte)).toBe(4)
  expect(threadsFor({ threads: 64 }, 9000 * megabyte)).toBe(8)
  expect(threadsFor({ threads: 1 }, 9000 * megabyte)).toBe(1)
})
