import { type ErrorPlace, ForetokenError } from '@foretoken/tensor'
import { NetworkError } from '../errors.ts'

export interface NetworkFacts {
  readonly url: string
  readonly found: string
  readonly expected: string
  /** HTTP status, when a server answered at all. */
  readonly status?: number | undefined
  /** What the user can do about it. */
  readonly advice: string
  /** Whether the same request may succeed a little later. */
  readonly isTemporary?: boolean
  /** The pause that the server asked for (`Retry-After`), 0 for none. */
  readonly retryAfterMs?: number
}

/** The hub could not be reached, or answered with something else than what was asked for; `advice` says what to do about it. */
export class HubNetworkError extends NetworkError {
  readonly url: string
  readonly status: number | undefined
  readonly advice: string
  readonly isTemporary: boolean
  readonly retryAfterMs: number

  constructor({ url, found, expected, status, advice, isTemporary = false, retryAfterMs = 0 }: NetworkFacts, options?: ErrorOptions) {
    super({ file: url, found, expected }, options)
    this.message = `${this.message}. ${advice}`
    this.url = url
    this.status = status
    this.advice = advice
    this.isTemporary = isTemporary
    this.retryAfterMs = retryAfterMs
  }
}

/** The bytes that arrived are not the bytes that were promised. The file has been removed. */
export class DownloadHashError extends ForetokenError {
  readonly code = 'download-hash'

  /** `sha256` of the bytes, or `git-sha1` of a git blob. */
  readonly algorithm: string
  readonly expectedHash: string
  readonly foundHash: string

  constructor(facts: { readonly file: string; readonly algorithm: string; readonly expectedHash: string; readonly foundHash: string }) {
    super({ file: facts.file, found: `${facts.algorithm} ${facts.foundHash}`, expected: `${facts.algorithm} ${facts.expectedHash}` })
    this.algorithm = facts.algorithm
    this.expectedHash = facts.expectedHash
    this.foundHash = facts.foundHash
  }
}

/** A file is longer or shorter than the listing says. The file has been removed. */
export class DownloadSizeError extends ForetokenError {
  readonly code = 'download-size'

  constructor(facts: { readonly file: string; readonly found: string; readonly expectedBytes: number }) {
    super({ file: facts.file, found: facts.found, expected: `${facts.expectedBytes} bytes` })
  }
}

/** The disk or the user's quota is full. What has arrived is kept, so that the download can go on later. */
export class DiskFullError extends ForetokenError {
  readonly code = 'disk-full'

  constructor(facts: { readonly folder: string; readonly found: string; readonly neededBytes: number }, options?: ErrorOptions) {
    super({ file: facts.folder, found: facts.found, expected: `room for ${facts.neededBytes} bytes` }, options)
    this.message = `${this.message}. Free some space or choose another cache folder; the download goes on where it stopped`
  }
}

/** What a repository lists, or what was asked of it, cannot be used: an unsafe path, a missing file, no weights that can be read. */
export class RepositoryError extends ForetokenError {
  readonly code = 'repository'

  constructor(facts: { readonly repository: string; readonly found: string; readonly expected: string } & ErrorPlace) {
    const { repository, file, ...rest } = facts
    super({ ...rest, file: file === undefined ? repository : `${repository}/${file}` })
  }
}

/** The network was needed and is switched off. */
export class OfflineError extends ForetokenError {
  readonly code = 'offline'

  constructor(facts: { readonly repository: string; readonly cacheFolder: string }) {
    super({
      file: facts.repository,
      found: `no complete copy in ${facts.cacheFolder}, and the hub is switched off (offline)`,
      expected: 'a snapshot in the cache',
    })
  }
}
