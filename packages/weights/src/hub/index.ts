// A hub and its cache (Node only).

export { type CachedSnapshot, type DownloadOptions, type Hub, type HubOptions, openHub, type RevisionOptions } from './hub.ts'

// What a repository holds, and which of its files make a model.

export { checkRepository, checkRevision, type HubFile, type RepositoryInfo } from './hub-file.ts'
export { GGUF_ORDER, type PickOptions, pickModelFiles, preferredGguf, type WeightPreference } from './model-files.ts'

// Watching a download.

export type { DownloadProgress } from './download-progress.ts'
export type { Reachability } from './reachability.ts'
export type { RetryPolicy } from './request.ts'
export { type TransferRate, transferRate } from './transfer-rate.ts'

// One process at a time.

export { type FileLock, type FileLockOptions, takeFileLock } from './file-lock.ts'

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
