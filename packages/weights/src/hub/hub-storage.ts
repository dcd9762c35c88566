/**
 * Where downloads are kept, behind one interface: a folder on disk in Node (`hub-storage/node.ts`), files of the origin in a page (`hub-storage/web.ts`). A content is
 * known by its hash, so that revisions share what they have in common; a snapshot says which contents a commit has under which paths.
 */
import type { ByteSource } from '../sources/byte-source.ts'
import type { HubFile } from './hub-file.ts'

export interface HubStorage {
  /** For messages. */
  readonly folder: string
  repository(name: string): RepositoryStorage
  /** Every repository of which something is here. */
  stored(): Promise<readonly StoredRepository[]>
  /** Removes all that is here of a repository; a download that is under way fails. */
  remove(name: string): Promise<void>
}

/** What a repository takes. */
export interface StoredRepository {
  readonly repository: string
  /** Of whole files and of those that are still arriving. */
  readonly byteLength: number
  /** Whether files are missing of which a part has arrived. */
  readonly isPartial: boolean
}

export interface SnapshotFile {
  readonly path: string
  readonly size: number
  /** Name of the content, where the storage knows it. */
  readonly etag?: string
}

export interface RepositoryStorage {
  /** What the user should know, one sentence each: that something is held in memory, and why. */
  readonly notes: readonly string[]
  /** The commit that a revision stood for when it was last asked for, or undefined. */
  readReference(revision: string): Promise<string | undefined>
  writeReference(revision: string, commit: string): Promise<void>
  /** Whether the content of a file is here, whole and checked. */
  has(file: HubFile): Promise<boolean>
  /** One download of a content at a time. */
  lock(file: HubFile, options: LockOptions): Promise<FileLock>
  /** Bytes of a content that is arriving here or in another process; 0 when it is not. */
  partialBytes(file: HubFile): Promise<number>
  openPartial(file: HubFile, signal: AbortSignal): Promise<PartialContent>
  /** Makes a snapshot show a content that is here under a path. */
  show(commit: string, file: HubFile): Promise<void>
  /** Files of a snapshot whose contents are here, by path; undefined when there is no such snapshot. */
  snapshot(commit: string): Promise<readonly SnapshotFile[] | undefined>
  snapshotFolder(commit: string): string
  /** @throws {FileError} when the snapshot does not hold it */
  open(commit: string, path: string): Promise<ByteSource>
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** Called each time the lock was looked at and belonged to somebody else. */
  readonly onWait?: (() => void) | undefined
}

export interface FileLockOptions extends LockOptions {
  /** A lock that was not touched for this long is stale. Default 30 s. In a page a lock ends with its tab. */
  readonly staleMs?: number
  /** Pause between two looks. Default 100 ms. */
  readonly pollMs?: number
}

export interface FileLock extends AsyncDisposable {
  /** Fires when the lock was taken away. */
  readonly lost: AbortSignal
}

/** A content that is arriving. Its hash grows with it, so that only what an earlier start left is read once more. Disposal keeps what has arrived. */
export interface PartialContent extends AsyncDisposable {
  /** Bytes that are there. */
  readonly size: number
  /** Bytes that were there when it was opened and have not been thrown away since. */
  readonly inheritedBytes: number
  /** ETag of the response that the bytes came from; undefined when not known. */
  readonly validator: string | undefined
  /** Sees to it that the rest has room. */
  reserve(): Promise<void>
  /** Notes under which ETag the following bytes come. */
  setValidator(etag: string | undefined): Promise<void>
  append(bytes: Uint8Array): Promise<void>
  /** Throws away what has arrived. */
  restart(): Promise<void>
  /** Hash of the bytes that are there, in hexadecimal; ends the hashing. */
  digest(): string
  /** Waits until what has arrived is where it will stay. */
  flush(): Promise<void>
  /** Makes the content one that is here whole. */
  finish(): Promise<void>
  remove(): Promise<void>
}
