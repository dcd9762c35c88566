/** Files that are made once for a model and kept in the cache folder. A file is complete or not there. */
import { createHash } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Raised when what is made from the same model changes. */
const PREPARATION = 1

/** Changes when the file changes. */
export function fingerprintOf(file: string): string {
  const { size, mtimeMs } = statSync(file)
  return createHash('sha256')
    .update(JSON.stringify([PREPARATION, file, size, mtimeMs]))
    .digest('hex')
    .slice(0, 16)
}

/** @param make  gives the pieces of the file; called only when the file is missing */
export async function prepareFile(file: string, make: () => Promise<readonly Uint8Array[]>): Promise<void> {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return
  mkdirSync(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}`
  const handle = await open(unfinished, 'w')
  try {
    for (const piece of await make()) await handle.writeFile(piece)
  } finally {
    await handle.close()
  }
  await rename(unfinished, file)
}
