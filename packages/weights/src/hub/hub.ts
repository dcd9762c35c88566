/**
 * Models from the Hugging Face hub (or a mirror of it) into a folder on this disk, or into files of a page's origin: with resume, hashes, one download at a
 * time and bounded retries, which the hub's client library leaves out. In Node the cache is the one of the Python and JavaScript libraries, so
 * nothing that they have fetched is fetched again.
 */
import { openStorage } from '#hub-storage'
import type { FileSet } from '../file-set.ts'
import { type DownloadProgress, reportProgress } from './download-progress.ts'
import { OfflineError, RepositoryError } from './errors.ts'
import { fetchFile } from './fetch-file.ts'
import { checkRepository, checkRevision, type HubFile, type RepositoryInfo } from './hub-file.ts'
import type { SnapshotFile, StoredRepository } from './hub-storage.ts'
import { listRepository } from './listing.ts'
import { pickModelFiles } from './model-files.ts'
import { probe, type Reachability } from './reachability.ts'
import type { Connection, RetryPolicy } from './request.ts'

export interface HubOptions {
  /** Default `https://huggingface.co`. */
  readonly endpoint?: string
  /** Default: the runtime's own. */
  readonly fetch?: typeof globalThis.fetch
  /** For private and gated repositories; sent to the endpoint only. */
  readonly accessToken?: string
  /** The folder that holds `models--…`; made when needed. In a page it lies in the files of the origin. */
  readonly cacheFolder: string
  /** Nothing goes through the network: downloads are answered from the cache. Default false. */
  readonly offline?: boolean
  /** Default: 5 failures in a row, pauses of 0.5 s, 1 s, 2 s, 4 s. */
  readonly retry?: Partial<RetryPolicy>
  /** A connection without a byte for this long counts as broken. Default 30,000. */
  readonly stallTimeoutMs?: number
  /** Milliseconds, growing; for the rate in progress events. */
  readonly clock?: () => number
}

export interface RevisionOptions {
  /** A branch, a tag or a commit. Default `main`. */
  readonly revision?: string
  readonly signal?: AbortSignal
}

export interface DownloadOptions extends RevisionOptions {
  /** Paths to fetch. */
  readonly files?: readonly string[]
  /** Chooses from what the repository holds. Default: `pickModelFiles`. Not together with `files`. */
  readonly pick?: <File extends { readonly path: string }>(files: readonly File[]) => readonly File[]
  readonly onProgress?: (progress: DownloadProgress) => void
}

/** What the cache holds of a repository. */
export interface CachedSnapshot {
  readonly folder: string
  readonly commit: string
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

export interface Hub {
  readonly endpoint: string
  readonly cacheFolder: string
  readonly offline: boolean
  /** The files of a repository with sizes and hashes. */
  info(repository: string, options?: RevisionOptions): Promise<RepositoryInfo>
  /**
   * Makes sure that the files are in the cache. Several calls for the same file, in this process or another, fetch it once.
   * An abort or a broken connection leaves what has arrived, and the next call goes on from there.
   *
   * @returns the folder of the snapshot, which holds the files under their paths (in a page only `files` opens them)
   */
  download(repository: string, options?: DownloadOptions): Promise<string>
  /** As `download`, and the files to be opened; those that a page could not store are in memory as long as the hub and this set are. */
  files(repository: string, options?: DownloadOptions): Promise<FileSet>
  /** The files of a snapshot that the cache holds, chosen by `pick`, without the network; undefined when there is no snapshot. */
  cachedFiles(repository: string, options?: Pick<DownloadOptions, 'revision' | 'pick'>): Promise<FileSet | undefined>
  /** What the cache holds of a revision, without the network; undefined when nothing. A snapshot may hold some of its files only. */
  cached(repository: string, options?: { readonly revision?: string }): Promise<CachedSnapshot | undefined>
  /** What the cache takes, by repository. */
  stored(): Promise<readonly StoredRepository[]>
  /** Removes a repository from the cache. */
  remove(repository: string): Promise<void>
  /** Whether the hub answers, found out within `timeoutMs` (default 5,000). Never throws, except the reason of `signal`. */
  reachable(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<Reachability>
}

const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, longestDelayMs: 20_000 }

/** Opens nothing yet: the first request is made when something is asked for. */
export function openHub(options: HubOptions): Hub {
  const { cacheFolder, offline = false, clock = () => performance.now(), stallTimeoutMs = 30_000 } = options
  const storage = openStorage(cacheFolder)
  const endpoint = (options.endpoint ?? 'https://huggingface.co').replace(/\/+$/, '')
  const connection: Connection = {
    endpoint,
    // a browser's own refuses to be called as a method of something else
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    accessToken: options.accessToken,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    stallTimeoutMs,
  }

  const info: Hub['info'] = async (repository, { revision = 'main', signal } = {}) => {
    checkRepository(repository)
    checkRevision(revision)
    if (offline) throw new OfflineError({ repository, cacheFolder })
    return listRepository(connection, repository, revision, signal)
  }

  const cached: Hub['cached'] = async (repository, { revision = 'main' } = {}) => {
    const found = await snapshotOf(repository, revision)
    if (found === undefined) return undefined
    const { commit, files } = found
    const folder = storage.repository(repository).snapshotFolder(commit)
    return { folder, commit, files: files.map(({ path, size }) => ({ path, size })) }
  }

  async function snapshotOf(repository: string, revision: string): Promise<Chosen | undefined> {
    checkRepository(repository)
    checkRevision(revision)
    const stored = storage.repository(repository)
    const commit = await stored.readReference(revision)
    const files = commit === undefined ? undefined : await stored.snapshot(commit)
    return commit === undefined || files === undefined ? undefined : { commit, files }
  }

  /** Makes sure that the chosen files are in the storage. */
  async function fetchChosen(repository: string, wanted: DownloadOptions): Promise<Chosen> {
    const { revision = 'main', signal, onProgress } = wanted
    if (offline) {
      const snapshot = await snapshotOf(repository, revision)
      if (snapshot === undefined) throw new OfflineError({ repository, cacheFolder })
      return { commit: snapshot.commit, files: chooseFiles(repository, snapshot.files, wanted) }
    }
    const { commit, files } = await info(repository, { revision, ...(signal && { signal }) })
    const chosen: readonly HubFile[] = chooseFiles(repository, files, wanted)
    const stored = storage.repository(repository)
    const report = reportProgress(chosen, clock, stored.notes, onProgress)
    for (const file of chosen) {
      signal?.throwIfAborted()
      const onBytes = (receivedBytes: number, isNew: boolean) => report.bytes(file, receivedBytes, isNew)
      await fetchFile({ connection, storage: stored, repository, commit, file, signal, onBytes })
      await stored.show(commit, file)
      report.done(file)
    }
    // Last, so that the reference never points to a snapshot in which files are still missing.
    await stored.writeReference(revision, commit)
    return { commit, files: chosen }
  }

  const fileSet = (repository: string, { commit, files }: Chosen): FileSet => {
    const stored = storage.repository(repository)
    return {
      name: repository,
      paths: files.map(({ path }) => path).sort(),
      fingerprint: files.map(({ path, etag }) => `${path} ${etag ?? commit}`).join('\n'),
      notes: stored.notes,
      open: (path) => stored.open(commit, path),
    }
  }

  return {
    endpoint,
    cacheFolder,
    offline,
    info,
    cached,
    download: async (repository, wanted = {}) =>
      storage.repository(repository).snapshotFolder((await fetchChosen(repository, wanted)).commit),
    files: async (repository, wanted = {}) => fileSet(repository, await fetchChosen(repository, wanted)),
    cachedFiles: async (repository, { revision = 'main', ...wanted } = {}) => {
      const snapshot = await snapshotOf(repository, revision)
      return snapshot && fileSet(repository, { commit: snapshot.commit, files: chooseFiles(repository, snapshot.files, wanted) })
    },
    stored: () => storage.stored(),
    remove: async (repository) => {
      checkRepository(repository)
      await storage.remove(repository)
    },
    reachable: ({ timeoutMs = 5000, signal } = {}) =>
      offline ? Promise.resolve({ isReachable: false, reason: 'switched off (offline)' }) : probe(connection, timeoutMs, signal),
  }
}

interface Chosen {
  readonly commit: string
  readonly files: readonly SnapshotFile[]
}

function chooseFiles<File extends { readonly path: string }>(
  repository: string,
  files: readonly File[],
  { files: paths, pick }: DownloadOptions,
): readonly File[] {
  if (paths === undefined) return pick === undefined ? pickModelFiles(files, { repository }) : pick(files)
  return paths.map((path) => {
    const file = files.find((candidate) => candidate.path === path)
    if (file === undefined)
      throw new RepositoryError({ repository, file: path, found: 'no such file', expected: 'a file of the repository' })
    return file
  })
}
