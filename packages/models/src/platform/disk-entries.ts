/** Entries of a folder of converted weights on disk. */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ENTRY_NAME, entryText, isEntryKey, leastRecentlyUsed, readEntryText, type StoredModelEntry } from '../stored-entry.ts'
import type { StoreOptions } from '../stored-model.ts'
import { keptTexts } from './kept-texts.ts'

export async function storedEntries(folder: string): Promise<readonly StoredModelEntry[]> {
  const keys = (await readdir(folder).catch(() => [])).filter(isEntryKey)
  return Promise.all(keys.map((key) => readEntry(folder, key)))
}

export async function removeEntry(folder: string, key: string): Promise<void> {
  await rm(join(folder, key), { recursive: true, force: true })
}

/** Notes that an entry is used, and makes room for it where there is a limit. */
export async function useEntry(
  folder: string,
  key: string,
  { name = '', limitBytes }: Pick<StoreOptions, 'name' | 'limitBytes'>,
): Promise<void> {
  await keptTexts(join(folder, key)).write(ENTRY_NAME, entryText(name))
  if (limitBytes !== undefined) await removeLeastRecent(folder, limitBytes, key)
}

/** Makes room; what cannot be removed (Windows, while it is mapped) stays for the next time. */
async function removeLeastRecent(folder: string, mostBytes: number, keep: string): Promise<void> {
  for (const { key } of leastRecentlyUsed(await storedEntries(folder), mostBytes, keep)) {
    await removeEntry(folder, key).catch(() => undefined)
  }
}

async function readEntry(folder: string, key: string): Promise<StoredModelEntry> {
  const path = join(folder, key)
  const names = await readdir(path).catch(() => [])
  const facts = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => undefined)))
  const text = await readFile(join(path, ENTRY_NAME), 'utf8').catch(() => undefined)
  const { name, usedMs } = readEntryText(text) ?? { name: '', usedMs: Math.max(0, ...facts.map((each) => each?.mtimeMs ?? 0)) }
  return { key, name, usedMs, byteLength: facts.reduce((sum, each) => sum + (each?.size ?? 0), 0) }
}
