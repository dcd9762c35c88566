// Files that belong to the origin of a page.

export { askToPersist, findOriginFolder, freeOriginBytes, type OpenedFolder, type OriginFolder, openOriginFolder } from './origin-folder.ts'
export type { SyncReader } from './sync-reader.ts'
export { storageRefusal, type WritableFile } from './writable-file.ts'

// One tab at a time.

export { type OriginLock, type OriginLockOptions, takeOriginLock } from './origin-lock.ts'
