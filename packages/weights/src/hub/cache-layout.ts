/**
 * Where things lie in the cache, in the layout that the hub's own Python and JavaScript libraries use, so that one copy serves all of them:
 *
 *     models--organisation--name/
 *       refs/<revision>                 the commit that a branch or tag stood for
 *       blobs/<etag>                    contents, each once; `<etag>.incomplete` while it arrives
 *       snapshots/<commit>/<path>       links to the blobs
 *     .locks/models--organisation--name/
 */
import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { pid } from 'node:process'
import { isCommit, isSafePath } from './hub-file.ts'

export interface RepositoryFolders {
  readonly root: string
  readonly blobs: string
  readonly snapshots: string
  readonly refs: string
  readonly locks: string
}

export function repositoryFolders(cacheFolder: string, repository: string): RepositoryFolders {
  const name = `models--${repository.replaceAll('/', '--')}`
  const root = join(cacheFolder, name)
  return {
    root,
    blobs: join(root, 'blobs'),
    snapshots: join(root, 'snapshots'),
    refs: join(root, 'refs'),
    locks: join(cacheFolder, '.locks', name),
  }
}

/** The commit that a revision stood for when it was last asked for, or undefined. */
export async function readReference(folders: RepositoryFolders, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision
  const text = await readFile(join(folders.refs, revision), 'utf8').catch(missingAsUndefined)
  const commit = text?.trim()
  return commit !== undefined && isCommit(commit) ? commit : undefined
}

export async function writeReference(folders: RepositoryFolders, revision: string, commit: string): Promise<void> {
  if (isCommit(revision)) return
  const path = join(folders.refs, revision)
  await mkdir(dirname(path), { recursive: true })
  await replaceAtomically(path, (temporary) => writeFile(temporary, commit))
}

/** Makes `snapshots/<commit>/<path>` show the blob: by a symbolic link, else (Windows without the right to) a hard link or a copy. */
export async function linkIntoSnapshot(folders: RepositoryFolders, commit: string, path: string, blob: string): Promise<void> {
  const pointer = join(folders.snapshots, commit, ...path.split('/'))
  await mkdir(dirname(pointer), { recursive: true })
  await replaceAtomically(pointer, async (temporary) => {
    try {
      await symlink(relative(dirname(pointer), blob), temporary)
    } catch {
      await link(blob, temporary).catch(() => copyFile(blob, temporary))
    }
  })
}

/** Files of a snapshot whose contents are there, with sizes; undefined when there is no such snapshot. */
export async function listSnapshot(folder: string): Promise<{ path: string; size: number }[] | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(missingAsUndefined)
  if (entries === undefined) return undefined
  const files: { path: string; size: number }[] = []
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const full = join(entry.parentPath, entry.name)
    const path = relative(folder, full).replaceAll('\\', '/')
    const facts = await stat(full).catch(missingAsUndefined)
    if (facts?.isFile() && isSafePath(path)) files.push({ path, size: facts.size })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Size of a file, following links; undefined when it is not there. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const facts = await stat(path).catch(missingAsUndefined)
  return facts?.size
}

let temporaryNames = 0

async function replaceAtomically(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  temporaryNames += 1
  const temporary = `${path}.${pid}-${temporaryNames}.temporary`
  try {
    await make(temporary)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

function missingAsUndefined(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
  throw error
}
