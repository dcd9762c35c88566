import { spawnSync } from 'node:child_process'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { execPath, pid } from 'node:process'
import { expect, test } from 'vitest'
import { takeFileLock } from '../../src/hub/file-lock.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('a second taker waits until the first gives the lock back', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.lock')
  const order: string[] = []
  const first = await takeFileLock(path)
  const second = takeFileLock(path, { pollMs: 5, onWait: () => order.push('waits') }).then(async (lock) => {
    order.push('second')
    await lock[Symbol.asyncDispose]()
  })
  await expect.poll(() => order.length).toBeGreaterThan(0)
  order.push('first gives back')
  await first[Symbol.asyncDispose]()
  await second
  expect(order.at(-1)).toBe('second')
  expect(await readdir(folder.path)).toEqual([])
})

test('of many that find a stale lock, one at a time holds it', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.lock')
  await writeFile(path, JSON.stringify({ pid: deadPid(), host: hostname() }))
  let holders = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      await using _lock = await takeFileLock(path, { pollMs: 2 })
      holders += 1
      most = Math.max(most, holders)
      await new Promise((resolve) => setTimeout(resolve, 5))
      holders -= 1
    }),
  )
  expect(most).toBe(1)
  expect(await readdir(folder.path)).toEqual([])
})

test('a lock that nobody touches any more is stale, even when its process id lives', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.lock')
  await writeFile(path, JSON.stringify({ pid, host: hostname() }))
  await utimes(path, new Date(0), new Date(0))
  await using lock = await takeFileLock(path)
  expect(lock.lost.aborted).toBe(false)
})

test('a lock of a dead process on another machine counts by its age only', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.lock')
  await writeFile(path, JSON.stringify({ pid: deadPid(), host: 'another' }))
  await expect(takeFileLock(path, { pollMs: 5, signal: AbortSignal.timeout(60) })).rejects.toThrow()
})

test('a lock file that is empty, or nonsense, becomes stale by age', async () => {
  await using folder = await temporaryFolder()
  for (const content of ['', '{', '[]', 'null']) {
    const path = join(folder.path, 'a.lock')
    await writeFile(path, content)
    await utimes(path, new Date(0), new Date(0))
    await using _lock = await takeFileLock(path)
  }
  expect(await readdir(folder.path)).toEqual([])
})

test('waiting ends with the signal', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.lock')
  await using _lock = await takeFileLock(path)
  const controller = new AbortController()
  const waiting = takeFileLock(path, { signal: controller.signal, onWait: () => controller.abort(new Error('stop')) })
  await expect(waiting).rejects.toThrow('stop')
})

test('a holder whose lock was taken away is told', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.lock')
  await using lock = await takeFileLock(path, { staleMs: 50 })
  await writeFile(path, 'another')
  await expect.poll(() => lock.lost.aborted).toBe(true)
})

/** The id of a process that has just ended. */
function deadPid(): number {
  return spawnSync(execPath, ['--version']).pid
}
