/**
 * Models from the Hugging Face hub (or a mirror of it) into a folder on this disk: listed by the hub's own client library, fetched by our
 * own code, because a model of gigabytes needs what that library leaves out: resume, hashes, one download at a time, bounded retries.
 * The cache is the one of the Python and JavaScript libraries, so nothing that they have fetched is fetched again.
 */
import { join } from 'node:path'
import { linkIntoSnapshot, listSnapshot, readReference, repositoryFolders, sizeOf, writeReference } from './cache-layout.ts'
import { type DownloadProgress, reportProgress } from './download-progress.ts'
import { OfflineError, RepositoryError } from './errors.ts'
import { fetchFile } from './fetch-file.ts'
import { checkRepository, checkRevision, type HubFile, type RepositoryInfo } from './hub-file.ts'
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
  /** The folder that holds `models--…`; made when needed. */
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
   * @returns the folder of the snapshot, which holds the files under their paths
   */
  download(repository: string, options?: DownloadOptions): Promise<string>
  /** What the cache holds of a revision, without the network; undefined when nothing. A snapshot may hold some of its files only. */
  cached(repository: string, options?: { readonly revision?: string }): Promise<CachedSnapshot | undefined>
  /** Whether the hub answers, found out within `timeoutMs` (default 5,000). Never throws, except the reason of `signal`. */
  reachable(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<Reachability>
}

const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, longestDelayMs: 20_000 }

/** Opens nothing yet: the first request is made when something is asked for. */
export function openHub(options: HubOptions): Hub {
  const { cacheFolder, offline = false, clock = () => performance.now(), stallTimeoutMs = 30_000 } = options
  const endpoint = (options.endpoint ?? 'https://huggingface.co').replace(/\/+$/, '')
  const connection: Connection = {
    endpoint,
    fetch: options.fetch ?? globalThis.fetch,
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
    checkRepository(repository)
    checkRevision(revision)
    const folders = repositoryFolders(cacheFolder, repository)
    const commit = await readReference(folders, revision)
    if (commit === undefined) return undefined
    const folder = join(folders.snapshots, commit)
    const files = await listSnapshot(folder)
    return files === undefined ? undefined : { folder, commit, files }
  }

  const download: Hub['download'] = async (repository, wanted = {}) => {
    const { revision = 'main', signal, onProgress } = wanted
    if (offline) {
      const snapshot = await cached(repository, { revision })
      if (snapshot === undefined) throw new OfflineError({ repository, cacheFolder })
      chooseFiles(repository, snapshot.files, wanted)
      return snapshot.folder
    }
    const { commit, files } = await info(repository, { revision, ...(signal && { signal }) })
    const chosen: readonly HubFile[] = chooseFiles(repository, files, wanted)
    const folders = repositoryFolders(cacheFolder, repository)
    const report = reportProgress(chosen, clock, onProgress)
    for (const file of chosen) {
      signal?.throwIfAborted()
      const onBytes = (receivedBytes: number, isNew: boolean) => report.bytes(file, receivedBytes, isNew)
      const blob = await fetchFile({ connection, folders, repository, commit, file, signal, onBytes })
      if ((await sizeOf(join(folders.snapshots, commit, file.path))) !== file.size) await linkIntoSnapshot(folders, commit, file.path, blob)
      report.done(file)
    }
    // Last, so that the reference never points to a snapshot in which files are still missing.
    await writeReference(folders, revision, commit)
    return join(folders.snapshots, commit)
  }

  return {
    endpoint,
    cacheFolder,
    offline,
    info,
    download,
    cached,
    reachable: ({ timeoutMs = 5000, signal } = {}) =>
      offline ? Promise.resolve({ isReachable: false, reason: 'switched off (offline)' }) : probe(connection, timeoutMs, signal),
  }
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
