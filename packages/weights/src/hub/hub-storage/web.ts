/**
 * Downloads in files of the page's origin: contents under their hashes, snapshots as small lists of paths. A content that is still arriving has a note beside
 * it (`<etag>.partial`, with the server's ETag in it), so that nothing has to be renamed, which not every browser can.
 *
 *     models--organisation--name/refs/<revision>  blobs/<etag>  snapshots/<commit>.json
 *
 * Where the browser gives no files or no room, contents are held in memory as long as the hub is, and `notes` say why.
 */
import { FileError } from '../../errors.ts'
import { findOriginFolder, type OriginFolder, openOriginFolder } from '../../origin-files/origin-folder.ts'
import { takeOriginLock } from '../../origin-files/origin-lock.ts'
import { storageRefusal } from '../../origin-files/writable-file.ts'
import { blobSource } from '../../sources/blob-source.ts'
import type { GrowingBytes } from '../../sources/growing-bytes.ts'
import { isCommit } from '../hub-file.ts'
import type {
  FileLock,
  FileLockOptions,
  HubStorage,
  LockOptions,
  RepositoryStorage,
  SnapshotFile,
  StoredRepository,
} from '../hub-storage.ts'
import { OriginPartial, partialMark } from '../origin-partial.ts'

/** A page may not send this header to another origin without asking first. */
export const sendsIfRange = false

/** One worker or tab at a time, by a Web Lock of this name. */
export function takeFileLock(path: string, { signal, onWait, pollMs }: FileLockOptions = {}): Promise<FileLock> {
  return takeOriginLock(`foretoken ${path}`, { signal, onWait, ...(pollMs === undefined ? {} : { pollMs }) })
}

/** @param folder  in the files of the origin; made when needed */
export function openStorage(folder: string): HubStorage {
  const open = new Map<string, RepositoryStorage>()
  return {
    folder,
    repository(name) {
      const known = open.get(name)
      if (known !== undefined) return known
      const storage = repositoryStorage(folder, name)
      open.set(name, storage)
      return storage
    },
    async stored() {
      const root = await findOriginFolder(folder)
      const names = ((await root?.entries()) ?? []).map(({ name }) => name).filter((name) => name.startsWith('models--'))
      return Promise.all(names.map((name) => storedRepository(folder, name)))
    },
    async remove(name) {
      open.delete(name)
      await (await findOriginFolder(folder))?.remove(folderName(name))
    },
  }
}

function folderName(repository: string): string {
  return `models--${repository.replaceAll('/', '--')}`
}

async function storedRepository(cacheFolder: string, name: string): Promise<StoredRepository> {
  const blobs = await findOriginFolder(`${cacheFolder}/${name}/blobs`)
  const names = ((await blobs?.entries()) ?? []).map((entry) => entry.name)
  const sizes = await Promise.all(names.map(async (each) => (await blobs?.file(each))?.size ?? 0))
  return {
    repository: name.slice('models--'.length).replace('--', '/'),
    byteLength: sizes.reduce((sum, size) => sum + size, 0),
    isPartial: names.some((each) => each.endsWith('.partial')),
  }
}

function repositoryStorage(cacheFolder: string, name: string): RepositoryStorage {
  const path = `${cacheFolder}/${folderName(name)}`
  const notes: string[] = []
  /** Contents that could not be stored. */
  const held = new Map<string, GrowingBytes>()
  /** What snapshots show beside what is written: contents in memory, and all where nothing can be written. */
  const shown = new Map<string, Map<string, SnapshotFile>>()
  const references = new Map<string, string>()
  const note = (text: string) => {
    if (!notes.includes(text)) notes.push(text)
  }

  const find = (part: string) => findOriginFolder(`${path}/${part}`)
  const make = async (part: string): Promise<OriginFolder | undefined> => {
    const opened = await openOriginFolder(`${path}/${part}`)
    if ('folder' in opened) return opened.folder
    note(`downloads are held in memory: ${opened.reason}`)
    return undefined
  }
  const blobSize = async (etag: string) => {
    const blobs = await find('blobs')
    if (blobs === undefined || (await blobs.file(partialMark(etag))) !== undefined) return undefined
    return (await blobs.file(etag))?.size
  }
  const isHere = async ({ etag = '', size }: SnapshotFile) => held.has(etag) || (await blobSize(etag)) === size
  const listed = async (commit: string) => readList(await (await find('snapshots'))?.readText(`${commit}.json`))

  return {
    notes,
    async readReference(revision) {
      if (isCommit(revision)) return revision
      const text = references.get(revision) ?? (await (await find('refs'))?.readText(encodeURIComponent(revision)))
      return text !== undefined && isCommit(text) ? text : undefined
    },
    async writeReference(revision, commit) {
      if (isCommit(revision)) return
      references.set(revision, commit)
      await unlessFull(async () => (await make('refs'))?.writeText(encodeURIComponent(revision), commit))
    },
    has: (file) => isHere(file),
    lock: (file, options) => lockOrNothing(`${path}/${file.etag}`, options),
    partialBytes: async (file) => (await (await find('blobs'))?.file(file.etag))?.size ?? 0,
    openPartial: async (file, signal) =>
      OriginPartial.open(await make('blobs'), file, { note, keep: (bytes) => held.set(file.etag, bytes), signal }),
    async show(commit, { path: filePath, size, etag }) {
      const overlay = shown.get(commit) ?? new Map<string, SnapshotFile>()
      shown.set(commit, overlay.set(filePath, { path: filePath, size, etag }))
      if (held.has(etag)) return
      await unlessFull(async () => {
        const snapshots = await make('snapshots')
        if (snapshots === undefined) return
        // two tabs may add to the same list
        await using _lock = await takeFileLock(`${path}/snapshots`)
        const files = await listed(commit)
        if (files.some((each) => each.path === filePath && each.etag === etag)) return
        const rest = files.filter((each) => each.path !== filePath)
        await snapshots.writeText(`${commit}.json`, JSON.stringify([...rest, { path: filePath, size, etag }]))
      })
    },
    async snapshot(commit) {
      const files = new Map((await listed(commit)).map((file) => [file.path, file]))
      for (const [filePath, file] of shown.get(commit) ?? []) files.set(filePath, file)
      if (files.size === 0) return undefined
      const here: SnapshotFile[] = []
      for (const file of files.values()) if (await isHere(file)) here.push(file)
      return here.sort((a, b) => (a.path < b.path ? -1 : 1))
    },
    snapshotFolder: (commit) => `${path}/snapshots/${commit}`,
    async open(commit, filePath) {
      const etag = (shown.get(commit)?.get(filePath) ?? (await listed(commit)).find((file) => file.path === filePath))?.etag
      const inMemory = etag === undefined ? undefined : held.get(etag)
      if (inMemory !== undefined) return inMemory.source(filePath)
      const file = etag === undefined ? undefined : await (await find('blobs'))?.file(etag)
      if (file !== undefined) return blobSource(file, filePath)
      throw new FileError({ file: `${path}/snapshots/${commit}/${filePath}`, found: 'nothing', expected: 'a file of the snapshot' })
    },
  }
}

/** Without files of the origin there is nothing that two tabs could share, and often no locks either. */
async function lockOrNothing(name: string, options: LockOptions): Promise<FileLock> {
  if ('locks' in navigator) return takeFileLock(name, options)
  return { lost: new AbortController().signal, [Symbol.asyncDispose]: () => Promise.resolve() }
}

/** Lists and references save a request later; without room for them nothing is lost. */
async function unlessFull(write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (storageRefusal(error) === undefined) throw error
  }
}

/** What cannot be read counts as an empty list: its files are shown again by the next download. */
function readList(text: string | undefined): readonly SnapshotFile[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(list) ? list.flatMap(readEntry) : []
  } catch {
    return []
  }
}

function readEntry(entry: unknown): readonly SnapshotFile[] {
  if (typeof entry !== 'object' || entry === null || !('path' in entry) || !('size' in entry) || !('etag' in entry)) return []
  const { path, size, etag } = entry
  return typeof path === 'string' && typeof size === 'number' && typeof etag === 'string' ? [{ path, size, etag }] : []
}
