/**
 * A file that is arriving: `<blob>.incomplete`, and beside it the server's ETag under which its bytes came. The hash grows with the file,
 * so that nothing is read a second time; only what an earlier process had left is read once, when the file is opened.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sizeOf } from './cache-layout.ts'
import { DiskFullError } from './errors.ts'
import type { HubFile } from './hub-file.ts'
import type { PartialContent } from './hub-storage.ts'

export function partialPath(blob: string): string {
  return `${blob}.incomplete`
}

export class PartialFile implements PartialContent {
  readonly path: string
  readonly #blob: string
  /** Bytes that are there. */
  size: number
  /** Bytes that were there when the file was opened and have not been thrown away since. */
  inheritedBytes: number
  /** ETag of the response that the bytes came from; undefined when not known. */
  validator: string | undefined
  #handle: FileHandle
  #hash: Hash
  readonly #file: HubFile

  private constructor(blob: string, file: HubFile, handle: FileHandle, size: number, hash: Hash, validator: string | undefined) {
    this.path = partialPath(blob)
    this.#blob = blob
    this.#file = file
    this.#handle = handle
    this.#hash = hash
    this.size = size
    this.inheritedBytes = size
    this.validator = validator
  }

  /**
   * Opens what an earlier attempt left, or an empty file. Longer than the whole file should be: it is thrown away.
   *
   * @param blob  where the whole file will lie
   */
  static async open(blob: string, file: HubFile, signal: AbortSignal): Promise<PartialFile> {
    const path = partialPath(blob)
    const found = (await sizeOf(path)) ?? 0
    const size = found > file.size ? 0 : found
    const hash = hashFor(file)
    if (size > 0) for await (const bytes of createReadStream(path, { end: size - 1, signal })) hash.update(bytes)
    const validator = size === 0 ? undefined : await readFile(validatorPath(path), 'utf8').catch(() => undefined)
    const handle = await open(path, 'a')
    const partial = new PartialFile(blob, file, handle, size, hash, validator)
    if (found > file.size) await partial.restart()
    return partial
  }

  /** @throws {DiskFullError} when the disk is known to have no room for the rest */
  async reserve(): Promise<void> {
    const folder = dirname(this.path)
    const neededBytes = this.#file.size - this.size
    const facts = await statfs(folder).catch(() => undefined)
    // Some network disks report nothing at all.
    if (facts === undefined || facts.blocks === 0) return
    const freeBytes = facts.bavail * facts.bsize
    if (freeBytes < neededBytes) throw new DiskFullError({ folder, found: `${freeBytes} bytes free`, neededBytes })
  }

  async setValidator(etag: string | undefined): Promise<void> {
    if (etag === this.validator) return
    this.validator = etag
    if (etag === undefined) await rm(validatorPath(this.path), { force: true })
    else await this.#full(() => writeFile(validatorPath(this.path), etag))
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#full(() => this.#handle.write(bytes, written))
      this.#hash.update(bytes.subarray(written, written + bytesWritten))
      written += bytesWritten
      this.size += bytesWritten
    }
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0)
    await this.setValidator(undefined)
    this.#hash = hashFor(this.#file)
    this.size = 0
    this.inheritedBytes = 0
  }

  digest(): string {
    return this.#hash.digest('hex')
  }

  flush(): Promise<void> {
    return this.#full(() => this.#handle.sync())
  }

  /** Puts the whole file in its place, in one step. */
  async finish(): Promise<void> {
    await this.#handle.close()
    await rename(this.path, this.#blob)
    await rm(validatorPath(this.path), { force: true })
  }

  async remove(): Promise<void> {
    await this.#handle.close()
    await rm(this.path, { force: true })
    await rm(validatorPath(this.path), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  async #full<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
        throw new DiskFullError(
          { folder: dirname(this.path), found: `a full disk (${error.code})`, neededBytes: this.#file.size - this.size },
          { cause: error },
        )
      throw error
    }
  }
}

function validatorPath(path: string): string {
  return `${path}.etag`
}

/** Large files are known by the SHA-256 of their bytes, small ones by git's SHA-1 of a header and the bytes. */
function hashFor(file: HubFile): Hash {
  return file.sha256 === undefined ? createHash('sha1').update(`blob ${file.size}\0`) : createHash('sha256')
}
