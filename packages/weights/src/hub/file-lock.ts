/**
 * A lock between processes: a file that only one of them can create. Who finds it there waits until it goes away, then looks whether the
 * work has been done. The holder touches the file while it works; a lock is stale when its process is dead (seen on the same machine) or
 * when it was not touched for long (another machine, a recycled process id). Node has no `flock`, and a lock file works on every disk.
 */
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { kill, pid } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import type { FileLock, FileLockOptions } from './hub-storage.ts'

let locksTaken = 0

/**
 * Waits until the lock is ours. Dispose of the result to give it back; disposing twice does nothing.
 *
 * @param path  of the lock file; its folder is made
 * @throws the reason of `signal` when it fires while waiting
 */
export async function takeFileLock(path: string, options: FileLockOptions = {}): Promise<FileLock> {
  const { signal, onWait, staleMs = 30_000, pollMs = 100 } = options
  locksTaken += 1
  const owner = JSON.stringify({ pid, host: hostname(), number: locksTaken, since: Date.now() })
  await mkdir(dirname(path), { recursive: true })
  for (;;) {
    signal?.throwIfAborted()
    if (await createExclusively(path, owner)) return holdLock(path, owner, staleMs)
    if (await isStale(path, staleMs)) {
      await removeStale(path, staleMs)
      continue
    }
    onWait?.()
    await pause(pollMs, undefined, signal && { signal }).catch(() => undefined)
  }
}

function holdLock(path: string, owner: string, staleMs: number): FileLock {
  const lost = new AbortController()
  const touch = async () => {
    try {
      if ((await readFile(path, 'utf8')) !== owner) throw new Error('the lock file belongs to another process')
      await utimes(path, new Date(), new Date())
    } catch (error) {
      clearInterval(timer)
      lost.abort(error)
    }
  }
  const timer = setInterval(touch, staleMs / 5)
  timer.unref()
  let isHeld = true
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      if (!isHeld) return
      isHeld = false
      clearInterval(timer)
      if (!lost.signal.aborted) await rm(path, { force: true })
    },
  }
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    await using file = await open(path, 'wx')
    await file.writeFile(content)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/** Two processes may both find a lock stale: only the one that gets this second, short-lived lock removes it, and looks again before. */
async function removeStale(path: string, staleMs: number): Promise<void> {
  const removal = `${path}.removal`
  if (!(await createExclusively(removal, String(pid)))) {
    if ((await ageMs(removal)) > staleMs) await rm(removal, { force: true })
    await pause(10)
    return
  }
  try {
    if (await isStale(path, staleMs)) await rm(path, { force: true })
  } finally {
    await rm(removal, { force: true })
  }
}

async function isStale(path: string, staleMs: number): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const owner = readOwner(text)
  if (owner !== undefined && owner.host === hostname() && !isAlive(owner.pid)) return true
  return (await ageMs(path)) > staleMs
}

/** Milliseconds since the last change; 0 when the file is gone. */
async function ageMs(path: string): Promise<number> {
  const facts = await stat(path).catch(() => undefined)
  return facts === undefined ? 0 : Date.now() - facts.mtimeMs
}

/** A lock that is being written has no owner yet: only its age counts. */
function readOwner(text: string): { pid: number; host: string } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('host' in value)) return undefined
    return typeof value.pid === 'number' && typeof value.host === 'string' ? { pid: value.pid, host: value.host } : undefined
  } catch {
    return undefined
  }
}

function isAlive(otherPid: number): boolean {
  try {
    return kill(otherPid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
