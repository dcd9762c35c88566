/** Downloads in a folder on disk, in the layout that the hub's own libraries share. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileSource } from '#platform'
import { linkIntoSnapshot, listSnapshot, readReference, repositoryFolders, sizeOf, writeReference } from '../cache-layout.ts'
import { takeFileLock as takeLock } from '../file-lock.ts'
import type { FileLock, FileLockOptions, HubStorage, RepositoryStorage, StoredRepository } from '../hub-storage.ts'
import { PartialFile, partialPath } from '../partial-file.ts'

/** One process at a time. */
export function takeFileLock(path: string, options: FileLockOptions = {}): Promise<FileLock> {
  return takeLock(path, options)
}

/** A page may not send this header to another origin without asking first. */
export const sendsIfRange = true

/** @param folder  holds `models--…`; made when needed */
export function openStorage(folder: string): HubStorage {
  return {
    folder,
    repository: (name) => repositoryStorage(folder, name),
    async stored() {
      const names = await readdir(folder).catch(() => [])
      const found = names.filter((name) => name.startsWith('models--')).sort()
      return Promise.all(found.map((name) => storedRepository(folder, name.slice('models--'.length).replace('--', '/'))))
    },
    async remove(name) {
      const { root, locks } = repositoryFolders(folder, name)
      await rm(root, { recursive: true, force: true })
      await rm(locks, { recursive: true, force: true })
    },
  }
}

function repositoryStorage(cacheFolder: string, name: string): RepositoryStorage {
  const folders = repositoryFolders(cacheFolder, name)
  const blob = (etag: string) => join(folders.blobs, etag)
  return {
    notes: [],
    readReference: (revision) => readReference(folders, revision),
    writeReference: (revision, commit) => writeReference(folders, revision, commit),
    has: async (file) => (await sizeOf(blob(file.etag))) === file.size,
    lock: (file, options) => takeLock(join(folders.locks, `${file.etag}.download`), options),
    partialBytes: async (file) => (await sizeOf(partialPath(blob(file.etag)))) ?? 0,
    async openPartial(file, signal) {
      await mkdir(folders.blobs, { recursive: true })
      return PartialFile.open(blob(file.etag), file, signal)
    },
    async show(commit, file) {
      if ((await sizeOf(join(folders.snapshots, commit, file.path))) !== file.size)
        await linkIntoSnapshot(folders, commit, file.path, blob(file.etag))
    },
    snapshot: (commit) => listSnapshot(join(folders.snapshots, commit)),
    snapshotFolder: (commit) => join(folders.snapshots, commit),
    open: (commit, path) => fileSource(join(folders.snapshots, commit, path)),
  }
}

async function storedRepository(cacheFolder: string, repository: string): Promise<StoredRepository> {
  const { blobs } = repositoryFolders(cacheFolder, repository)
  const names = await readdir(blobs).catch(() => [])
  const sizes = await Promise.all(names.map((name) => stat(join(blobs, name)).then(({ size }) => size)))
  return {
    repository,
    byteLength: sizes.reduce((sum, size) => sum + size, 0),
    isPartial: names.some((name) => name.endsWith('.incomplete')),
  }
}
