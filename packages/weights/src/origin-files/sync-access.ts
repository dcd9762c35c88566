/**
 * Access handles of the File System standard, which exist in dedicated workers only; TypeScript describes them with the types of workers,
 * which contradict those of pages.
 */

/** A file that is read and written without waiting, and by nobody else as long as it is open. */
export interface SyncAccessHandle {
  read(into: Uint8Array, options: { readonly at: number }): number
  write(bytes: Uint8Array, options: { readonly at: number }): number
  truncate(byteLength: number): void
  getSize(): number
  flush(): void
  close(): void
}

interface SyncAccessFile {
  createSyncAccessHandle(options?: { readonly mode: 'read-only' | 'readwrite' }): Promise<SyncAccessHandle>
}

/** Whether this thread may open files synchronously: a dedicated worker of a browser that has access handles. */
export function hasSyncAccess(handle: FileSystemFileHandle): handle is FileSystemFileHandle & SyncAccessFile {
  return 'createSyncAccessHandle' in handle && typeof handle.createSyncAccessHandle === 'function'
}
