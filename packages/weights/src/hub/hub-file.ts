/**
 * What a repository holds: paths, sizes and hashes, checked before anything is built on them. The listing comes from a server, and its
 * paths and hashes become names of files on this disk, so each of them is held against a strict pattern first.
 */
import { ArgumentError } from '@foretoken/tensor'
import { RepositoryError } from './errors.ts'

/** A file of a repository at one commit. */
export interface HubFile {
  /** Path inside the repository, `/` between its parts. */
  readonly path: string
  readonly size: number
  /** Name of the content in the cache: the SHA-256 of a large file, the git blob id of a small one. */
  readonly etag: string
  /** SHA-256 of the content; present for files in large file storage, which weights are. */
  readonly sha256?: string
  /** SHA-1 of the git blob, for the other files. */
  readonly gitSha1?: string
}

/** A repository at one commit. */
export interface RepositoryInfo {
  readonly repository: string
  /** The branch, tag or commit that was asked for. */
  readonly revision: string
  /** The commit it stands for: 40 hexadecimal digits. */
  readonly commit: string
  readonly files: readonly HubFile[]
}

const REPOSITORY = /^(?:[A-Za-z0-9][\w.-]*\/)?[A-Za-z0-9][\w.-]*$/
const COMMIT = /^[0-9a-f]{40}$/
const SHA1 = /^[0-9a-f]{40}$/
const SHA256 = /^[0-9a-f]{64}$/
const MAX_PATH_LENGTH = 1024

/** @throws {ArgumentError} when `repository` is not `organisation/name` (or a bare name) as the hub allows them */
export function checkRepository(repository: string): void {
  if (!REPOSITORY.test(repository) || repository.includes('..') || repository.includes('--') || repository.length > 96)
    throw new ArgumentError({ field: 'repository', found: JSON.stringify(repository), expected: 'organisation/name' })
}

/** @throws {ArgumentError} when `revision` could not be the name of a branch, a tag or a commit */
export function checkRevision(revision: string): void {
  if (!isSafePath(revision) || !/^[\w./+-]+$/.test(revision))
    throw new ArgumentError({ field: 'revision', found: JSON.stringify(revision), expected: 'a branch, a tag or a commit' })
}

export function isCommit(text: string): boolean {
  return COMMIT.test(text)
}

/** Whether a path stays inside the folder that it is joined to, on every operating system. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > MAX_PATH_LENGTH) return false
  // Control characters, and what Windows reads as a drive, a stream or a separator.
  for (let index = 0; index < path.length; index++) if (path.charCodeAt(index) < 32) return false
  if (/[\\:*?"<>|]/.test(path)) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/**
 * One entry of the hub's listing, as a file; folders give undefined.
 *
 * @throws {RepositoryError} when path, size or hash are not what they must be
 */
export function readListedFile(repository: string, entry: unknown): HubFile | undefined {
  if (typeof entry !== 'object' || entry === null) throw refused(repository, 'a listing', String(entry), 'an object')
  const { type, path, size, oid, lfs } = readFields(entry)
  if (type !== 'file') return undefined
  if (typeof path !== 'string' || !isSafePath(path)) throw refused(repository, 'path', JSON.stringify(path), 'a relative path without ..')
  const large = typeof lfs === 'object' && lfs !== null ? readFields(lfs) : undefined
  const bytes = large?.size ?? size
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0)
    throw refused(repository, `size of ${path}`, String(bytes), 'a number of bytes')
  if (large !== undefined) {
    if (typeof large.oid !== 'string' || !SHA256.test(large.oid))
      throw refused(repository, `hash of ${path}`, String(large.oid), 'a SHA-256 of 64 hexadecimal digits')
    return { path, size: bytes, etag: large.oid, sha256: large.oid }
  }
  if (typeof oid !== 'string' || !SHA1.test(oid))
    throw refused(repository, `hash of ${path}`, String(oid), 'a git SHA-1 of 40 hexadecimal digits')
  return { path, size: bytes, etag: oid, gitSha1: oid }
}

interface ListedFields {
  readonly type?: unknown
  readonly path?: unknown
  readonly size?: unknown
  readonly oid?: unknown
  readonly lfs?: unknown
}

// Any object may be looked at through fields that are all optional and unknown.
function readFields(entry: object): ListedFields {
  return entry
}

function refused(repository: string, field: string, found: string, expected: string): RepositoryError {
  return new RepositoryError({ repository, field, found, expected })
}
