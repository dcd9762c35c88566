// A hub and its cache: a folder in Node, files of the origin in a page.

export { type CachedSnapshot, type DownloadOptions, type Hub, type HubOptions, openHub, type RevisionOptions } from './hub.ts'

// What a repository holds, and which of its files make a model.

export { checkRepository, checkRevision, type HubFile, type RepositoryInfo } from './hub-file.ts'
export { GGUF_ORDER, type PickOptions, pickModelFiles, preferredGguf, type WeightPreference } from './model-files.ts'

// Watching a download.

export type { DownloadProgress } from './download-progress.ts'
export type { Reachability } from './reachability.ts'
export type { RetryPolicy } from './request.ts'
export { type TransferRate, transferRate } from './transfer-rate.ts'

// What the cache takes.

export type { StoredRepository } from './hub-storage.ts'

// One process, tab or worker at a time.

export { takeFileLock } from '#hub-storage'
export type { FileLock, FileLockOptions, LockOptions } from './hub-storage.ts'

// Errors.

export {
  DiskFullError,
  DownloadHashError,
  DownloadSizeError,
  HubNetworkError,
  type NetworkFacts,
  OfflineError,
  RepositoryError,
} from './errors.ts'
