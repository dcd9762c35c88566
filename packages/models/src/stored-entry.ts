/** One entry of a folder of converted weights: what is known of it, and which entries go when there is too little room. */

/** Converted weights of one model, in one format. */
export interface StoredModelEntry {
  readonly key: string
  /** What was converted: a path, a repository, or the name of a file; empty where that is not known. */
  readonly name: string
  readonly byteLength: number
  /** When a model was last opened from it, in milliseconds since 1970. */
  readonly usedMs: number
}

/** Name of the text in an entry that says what `EntryFacts` holds. */
export const ENTRY_NAME = 'entry'

interface EntryFacts {
  readonly name: string
  readonly usedMs: number
}

const KEY = /^[0-9a-f]{32}$/

/** What has to go, so that the rest takes at most `mostBytes`; the entry `keep` stays whatever it takes. */
export function leastRecentlyUsed(entries: readonly StoredModelEntry[], mostBytes: number, keep?: string): readonly StoredModelEntry[] {
  const newestFirst = entries.toSorted((a, b) => b.usedMs - a.usedMs)
  let bytes = newestFirst.find(({ key }) => key === keep)?.byteLength ?? 0
  let isFull = false
  return newestFirst.filter(({ key, byteLength }) => {
    if (key === keep) return false
    isFull ||= bytes + byteLength > mostBytes
    if (!isFull) bytes += byteLength
    return isFull
  })
}

/** */
export function isEntryKey(name: string): boolean {
  return KEY.test(name)
}

/** The text of `ENTRY_NAME`. */
export function entryText(name: string): string {
  return JSON.stringify({ name, usedMs: Date.now() } satisfies EntryFacts)
}

/** Undefined for a text that is none of ours. */
export function readEntryText(text: string | undefined): EntryFacts | undefined {
  try {
    const facts: unknown = JSON.parse(text ?? '')
    if (typeof facts !== 'object' || facts === null || !('name' in facts) || !('usedMs' in facts)) return undefined
    const { name, usedMs } = facts
    return typeof name === 'string' && typeof usedMs === 'number' ? { name, usedMs } : undefined
  } catch {
    return undefined
  }
}
