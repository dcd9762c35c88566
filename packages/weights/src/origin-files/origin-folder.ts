/**
 * Folders and files that belong to the origin of a page (the "origin private file system"): nobody sees them but its pages and workers, and the
 * browser removes them when the user clears the site. Names are single parts; nothing here leaves the folder that it was opened in.
 */
import { openSyncReader, type SyncReader } from './sync-reader.ts'
import { openToWrite, type WritableFile } from './writable-file.ts'

export interface OriginFolder {
  /** From the root of the origin, for messages and for names of locks. */
  readonly path: string
  /** A folder in this one, made when it is missing. */
  folder(name: string): Promise<OriginFolder>
  /** A snapshot of a file; undefined when it is missing. Bytes are read when they are asked for. */
  file(name: string): Promise<File | undefined>
  /** Reads a file without waiting; undefined where it is missing, and in a page's own thread. */
  readSync(name: string): Promise<SyncReader | undefined>
  readText(name: string): Promise<string | undefined>
  /** Replaces a small text. */
  writeText(name: string, text: string): Promise<void>
  /** Opens a file, made when it is missing, with the bytes that it has. */
  write(name: string): Promise<WritableFile>
  /** Removes a file, or a folder with all that is in it; nothing happens where there is none. */
  remove(name: string): Promise<void>
  entries(): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>
}

/** The folder, or the reason why this page has no files. */
export type OpenedFolder = { readonly folder: OriginFolder } | { readonly reason: string }

/** @param path  parts with `/` between them; made when missing */
export function openOriginFolder(path: string): Promise<OpenedFolder> {
  return open(path, true)
}

/** The folder when it is there; undefined too where a page has no files. */
export async function findOriginFolder(path: string): Promise<OriginFolder | undefined> {
  const opened = await open(path, false)
  return 'folder' in opened ? opened.folder : undefined
}

async function open(path: string, create: boolean): Promise<OpenedFolder> {
  const storage = 'navigator' in globalThis ? navigator.storage : undefined
  if (storage === undefined || !('getDirectory' in storage)) return { reason: 'this page has no file system (it needs https or localhost)' }
  try {
    let handle = await storage.getDirectory()
    for (const part of path.split('/')) if (part !== '') handle = await handle.getDirectoryHandle(part, { create })
    return { folder: folderAt(handle, path) }
  } catch (error) {
    return { reason: `the browser refuses files of its own to this page (${String(error)})` }
  }
}

/** Bytes that the browser still gives to this origin; undefined where it does not say. */
export async function freeOriginBytes(): Promise<number | undefined> {
  const { quota, usage } = await navigator.storage.estimate().catch(() => ({ quota: undefined, usage: undefined }))
  return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage)
}

/** Asks that files of this origin stay when the disk is nearly full. Workers cannot ask; a refusal is none of our business. */
export async function askToPersist(): Promise<void> {
  if ('persist' in navigator.storage) await navigator.storage.persist().catch(() => false)
}

function folderAt(handle: FileSystemDirectoryHandle, path: string): OriginFolder {
  const file = async (name: string): Promise<File | undefined> => {
    try {
      return await (await handle.getFileHandle(name)).getFile()
    } catch (error) {
      return missingAsUndefined(error)
    }
  }
  const write = async (name: string) => openToWrite(await handle.getFileHandle(name, { create: true }))
  return {
    path,
    file,
    write,
    folder: async (name) => folderAt(await handle.getDirectoryHandle(name, { create: true }), `${path}/${name}`),
    async readSync(name) {
      const found = await file(name)
      return found && openSyncReader(await handle.getFileHandle(name), found)
    },
    readText: async (name) => (await file(name))?.text(),
    async writeText(name, text) {
      await using writable = await write(name)
      const bytes = new TextEncoder().encode(text)
      await writable.truncate(0)
      await writable.write(bytes, 0)
      await writable.flush()
    },
    async remove(name) {
      try {
        await handle.removeEntry(name, { recursive: true })
      } catch (error) {
        missingAsUndefined(error)
      }
    },
    async entries() {
      const found: { name: string; isFolder: boolean }[] = []
      for await (const [name, entry] of handle.entries()) found.push({ name, isFolder: entry.kind === 'directory' })
      return found.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
  }
}

function missingAsUndefined(error: unknown): undefined {
  if (error instanceof Error && error.name === 'NotFoundError') return undefined
  throw error
}
