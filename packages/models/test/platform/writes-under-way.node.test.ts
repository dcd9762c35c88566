import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WritesUnderWay } from '../../src/platform/writes-under-way.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foretoken-writes-'))
})
afterAll(() => rm(folder, { recursive: true }))

const MEGABYTES = 1024 * 1024

test('every write is at its offset when all are finished, more bytes than may wait', async () => {
  const path = join(folder, 'many')
  const pieces = Array.from({ length: 9 }, (_, at) => new Uint8Array(10 * MEGABYTES).fill(at + 1))
  {
    await using file = await open(path, 'w')
    await using writes = new WritesUnderWay(file)
    // the last one first: offsets need not ascend
    for (const [at, piece] of [...pieces.entries()].reverse()) await writes.add(piece, at * 10 * MEGABYTES)
    await writes.finish()
  }
  expect(Buffer.compare(await readFile(path), Buffer.concat(pieces))).toBe(0)
})

test('a write that fails is an error of finish, and disposal waits without throwing it again', async () => {
  const path = join(folder, 'read-only')
  await writeFile(path, 'kept')
  await using file = await open(path, 'r')
  await using writes = new WritesUnderWay(file)
  await writes.add(Uint8Array.of(1), 0)
  await expect(writes.finish()).rejects.toMatchObject({ code: 'EBADF' })
  expect(await readFile(path, 'utf8')).toBe('kept')
})
