/**
 * A content that is arriving in a page: in a file of the origin, and in memory from the moment at which the browser refuses more room. Beside the file lies a
 * mark that it is not whole, with the server's ETag in it.
 */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { askToPersist, freeOriginBytes, type OriginFolder } from '../origin-files/origin-folder.ts'
import { storageRefusal, type WritableFile } from '../origin-files/writable-file.ts'
import { GrowingBytes } from '../sources/growing-bytes.ts'
import { HubNetworkError } from './errors.ts'
import type { HubFile } from './hub-file.ts'
import type { PartialContent } from './hub-storage.ts'

/** Parts in which stored bytes are read again. */
const READ_BYTES = 8 * 1024 * 1024

export function partialMark(etag: string): string {
  return `${etag}.partial`
}

export interface PartialPlace {
  readonly note: (text: string) => void
  /** Takes a whole content that could not be stored. */
  readonly keep: (bytes: GrowingBytes) => void
  readonly signal: AbortSignal
}

/** The part of a hash of `@noble/hashes` that is used. */
interface GrowingHash {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

export class OriginPartial implements PartialContent {
  size = 0
  inheritedBytes = 0
  validator: string | undefined
  readonly #file: HubFile
  readonly #folder: OriginFolder | undefined
  readonly #place: PartialPlace
  #stored: WritableFile | undefined
  #held: GrowingBytes | undefined
  #hash: GrowingHash

  private constructor(folder: OriginFolder | undefined, file: HubFile, place: PartialPlace) {
    this.#folder = folder
    this.#file = file
    this.#place = place
    this.#hash = hashFor(file)
  }

  /** Opens what an earlier attempt left, or an empty file. Longer than the whole file should be: it is thrown away. */
  static async open(folder: OriginFolder | undefined, file: HubFile, place: PartialPlace): Promise<OriginPartial> {
    const partial = new OriginPartial(folder, file, place)
    try {
      await partial.#begin()
      return partial
    } catch (error) {
      await partial[Symbol.asyncDispose]().catch(() => undefined)
      throw error
    }
  }

  async #begin(): Promise<void> {
    const folder = this.#folder
    if (folder === undefined) {
      this.#held = new GrowingBytes(this.#file.size)
      return
    }
    try {
      const mark = await folder.readText(partialMark(this.#file.etag))
      const found = await folder.file(this.#file.etag)
      // a hundred bytes: the first thing that finds out that nothing can be written
      if (mark === undefined) await folder.writeText(partialMark(this.#file.etag), '')
      if (found !== undefined && found.size <= this.#file.size) {
        await this.#hashAgain(found)
        this.size = found.size
        this.inheritedBytes = found.size
        if (found.size > 0 && mark !== undefined && mark !== '') this.validator = mark
      }
      this.#stored = await folder.write(this.#file.etag)
      if (found !== undefined && found.size > this.#file.size) await this.#stored.truncate(0)
      if (!this.#stored.isDirect) {
        this.#place.note('outside of a worker a closed tab loses what has arrived of a file: its bytes are stored when the download ends')
      }
    } catch (error) {
      const refusal = storageRefusal(error)
      if (refusal === undefined) throw error
      await this.#moveToMemory(refusal)
    }
  }

  async reserve(): Promise<void> {
    if (this.#held !== undefined) return
    await askToPersist()
    const neededBytes = this.#file.size - this.size
    const freeBytes = await freeOriginBytes()
    if (freeBytes === undefined || freeBytes >= neededBytes) return
    await this.#moveToMemory(`the browser gives this page ${freeBytes} more bytes, ${neededBytes} are needed`)
  }

  async setValidator(etag: string | undefined): Promise<void> {
    if (etag === this.validator) return
    this.validator = etag
    if (this.#held !== undefined) return
    await this.#unlessFull(async () => this.#folder?.writeText(partialMark(this.#file.etag), etag ?? ''))
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#unlessFull(async () => this.#stored?.write(bytes, this.size))
    this.#held?.append(bytes)
    this.#hash.update(bytes)
    this.size += bytes.byteLength
  }

  async restart(): Promise<void> {
    if (this.#held === undefined) this.#stored ??= await this.#folder?.write(this.#file.etag)
    await this.#stored?.truncate(0)
    this.#held?.clear()
    await this.setValidator(undefined)
    this.#forget()
  }

  digest(): string {
    return bytesToHex(this.#hash.digest())
  }

  flush(): Promise<void> {
    return this.#unlessFull(async () => {
      await this.#stored?.flush()
      await this.#stored?.[Symbol.asyncDispose]()
      this.#stored = undefined
    })
  }

  async finish(): Promise<void> {
    if (this.#held !== undefined) this.#place.keep(this.#held)
    // what has no mark is whole
    else await this.#folder?.remove(partialMark(this.#file.etag))
  }

  async remove(): Promise<void> {
    await this.#stored?.[Symbol.asyncDispose]()
    this.#stored = undefined
    this.#held?.clear()
    await this.#removeStored()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stored?.[Symbol.asyncDispose]()
    this.#stored = undefined
  }

  async #unlessFull(write: () => Promise<void>): Promise<void> {
    if (this.#held !== undefined) return
    try {
      await write()
    } catch (error) {
      const refusal = storageRefusal(error)
      if (refusal === undefined) throw error
      await this.#moveToMemory(refusal)
    }
  }

  /** What has been stored comes into memory and leaves its room to others. */
  async #moveToMemory(reason: string): Promise<void> {
    this.#place.note(`${this.#file.path} is held in memory and will be fetched again by the next start: ${reason}`)
    const held = new GrowingBytes(this.#file.size)
    // closing a stream may be what fails: then its bytes are lost
    await Promise.allSettled([this.#stored?.[Symbol.asyncDispose]()])
    this.#stored = undefined
    const stored = await this.#folder?.file(this.#file.etag)
    const isWhole = (stored?.size ?? 0) >= this.size
    if (stored !== undefined && isWhole) await this.#eachPart(stored.slice(0, this.size), (bytes) => held.append(bytes))
    this.#held = held
    await this.#removeStored()
    if (isWhole) return
    this.#forget()
    const advice = 'What had arrived could not be stored; it is fetched again'
    throw new HubNetworkError({ url: this.#file.path, found: reason, expected: 'room for the file', advice, isTemporary: true })
  }

  #forget(): void {
    this.#hash = hashFor(this.#file)
    this.size = 0
    this.inheritedBytes = 0
  }

  async #removeStored(): Promise<void> {
    await this.#folder?.remove(this.#file.etag)
    await this.#folder?.remove(partialMark(this.#file.etag))
  }

  #hashAgain(stored: Blob): Promise<void> {
    return this.#eachPart(stored, (bytes) => this.#hash.update(bytes))
  }

  async #eachPart(stored: Blob, take: (bytes: Uint8Array) => unknown): Promise<void> {
    for (let start = 0; start < stored.size; start += READ_BYTES) {
      this.#place.signal.throwIfAborted()
      take(new Uint8Array(await stored.slice(start, start + READ_BYTES).arrayBuffer()))
    }
  }
}

/** Large files are known by the SHA-256 of their bytes, small ones by git's SHA-1 of a header and the bytes. */
function hashFor(file: HubFile): GrowingHash {
  return file.sha256 === undefined ? sha1.create().update(new TextEncoder().encode(`blob ${file.size}\0`)) : sha256.create()
}
