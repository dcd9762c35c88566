/**
 * Looking after what `convertedFolder` keeps. Every checkpoint, format and set of outputs has an entry of its own, so a folder grows with what is tried;
 * entries can be listed and removed at any time, those that were not used for longest first. An entry in use stays usable where the system lets files
 * be removed while they are open (all but Windows); in a page nothing reads one once the model is open.
 */
import { ArgumentError } from '@foretoken/tensor'
import { removeEntry, storedEntries } from '#platform'
import { isEntryKey, leastRecentlyUsed, type StoredModelEntry } from './stored-entry.ts'

/**
 * What a folder keeps, most recently used first; nothing where there is no folder.
 *
 * @param folder  as `convertedFolder`: on disk in Node, in the files of the origin in a page
 */
export async function listStoredModels(folder: string): Promise<readonly StoredModelEntry[]> {
  const entries = await storedEntries(folder)
  return entries.toSorted((a, b) => b.usedMs - a.usedMs)
}

/**
 * Removes one entry; nothing happens when it is not there.
 *
 * @throws {ArgumentError} when `key` is none that `listStoredModels` returns
 */
export async function removeStoredModel(folder: string, key: string): Promise<void> {
  if (!isEntryKey(key)) throw new ArgumentError({ field: 'key', found: JSON.stringify(key), expected: 'the key of an entry' })
  await removeEntry(folder, key)
}

/**
 * Removes entries until the rest takes at most `mostBytes`, least recently used first.
 *
 * @returns the entries that were removed
 */
export async function trimStoredModels(folder: string, mostBytes: number): Promise<readonly StoredModelEntry[]> {
  const removed = leastRecentlyUsed(await listStoredModels(folder), mostBytes)
  for (const { key } of removed) await removeEntry(folder, key)
  return removed
}
