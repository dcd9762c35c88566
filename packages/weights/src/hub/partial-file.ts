/**
 * A file that is arriving: `<blob>.incomplete`, and beside it the server's ETag under which its bytes came. The hash grows with the file,
 * so that nothing is read a second time; only what an earlier process had left is read once, when the file is opened.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sizeOf } from './cache-layout.ts'
import { DiskFullError } from './errors.ts'
import type { HubFile } from './hub-file.ts'

export class PartialFile implements AsyncDisposable {
  readonly path: string
  /** Bytes that are there. */
  size: number
  /** Bytes that were there when the file was opened and have not been thrown away since. */
  inheritedBytes: number
  /** ETag of the response that the bytes came from; undefined when not known. */
  validator: string | undefined
  #handle: FileHandle
  #hash: Hash
  readonly #file: HubFile

  private constructor(path: string, file: HubFile, handle: FileHandle, size: number, hash: Hash, validator: string | undefined) {
    this.path = path
    this.#file = file
    this.#handle = handle
    this.#hash = hash
    this.size = size
    this.inheritedBytes = size
    this.validator = validator
  }

  /** Opens what an earlier attempt left, or an empty file. Longer than the whole file should be: it is thrown away. */
  static async open(path: string, file: HubFile, signal: AbortSignal | undefined): Promise<PartialFile> {
    const found = (await sizeOf(path)) ?? 0
    const size = found > file.size ? 0 : found
    const hash = hashFor(file)
    if (size > 0) for await (const bytes of createReadStream(path, { end: size - 1, signal })) hash.update(bytes)
    const validator = size === 0 ? undefined : await readFile(validatorPath(path), 'utf8').catch(() => undefined)
    const handle = await open(path, 'a')
    const partial = new PartialFile(path, file, handle, size, hash, validator)
    if (found > file.size) await partial.restart()
    return partial
  }

  /** Notes under which ETag the following bytes come. */
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

  /** Throws away what has arrived. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0)
    await this.setValidator(undefined)
    this.#hash = hashFor(this.#file)
    this.size = 0
    this.inheritedBytes = 0
  }

  /** Hash of the bytes that are there, in hexadecimal; ends the hashing. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  /** Puts the whole file in its place, in one step, after it has reached the disk. */
  async moveTo(path: string): Promise<void> {
    await this.#full(() => this.#handle.sync())
    await this.#handle.close()
    await rename(this.path, path)
    await rm(validatorPath(this.path), { force: true })
  }

  async remove(): Promise<void> {
    await this.#handle.close()
    await rm(this.path, { force: true })
    await rm(validatorPath(this.path), { force: true })
  }

  /** Closes the file; what has arrived stays for the next attempt. */
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
