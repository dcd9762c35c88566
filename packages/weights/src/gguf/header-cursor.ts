import { WeightsFormatError } from '../errors.ts'
import { decodeUtf8 } from '../utf8.ts'

/** A string of metadata may be this long; chat templates have a few kilobytes. */
const MAX_STRING_BYTES = 10_000_000

/** The bytes that are in memory end before the header does: thrown inside of the reader only, which then reads on. */
export class PrefixTooShort extends Error {
  /** Bytes from the start of the file that are needed at least. */
  readonly neededBytes: number

  constructor(neededBytes: number) {
    super(`the header needs ${neededBytes} bytes`)
    this.neededBytes = neededBytes
  }
}

/**
 * Walks through the first bytes of a little-endian file. Every length is compared with the bytes that the *file* still has before anything is
 * allocated; only then does it matter whether those bytes are in memory yet.
 */
export class HeaderCursor {
  readonly file: string
  readonly fileBytes: number
  position = 0
  /** What is being read, for error messages: a metadata key, or the name of a tensor. */
  place: { readonly field?: string; readonly tensor?: string } = {}
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(prefix: Uint8Array, { file, fileBytes }: { readonly file: string; readonly fileBytes: number }) {
    this.#bytes = prefix
    this.#view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
    this.file = file
    this.fileBytes = fileBytes
  }

  get remainingBytes(): number {
    return this.fileBytes - this.position
  }

  error(found: string, expected: string, offset = this.position): WeightsFormatError {
    return new WeightsFormatError({ file: this.file, ...this.place, offset, found, expected })
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  int8(): number {
    return this.#view.getInt8(this.#advance(1))
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  int16(): number {
    return this.#view.getInt16(this.#advance(2), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true)
  }

  float32(): number {
    return this.#view.getFloat32(this.#advance(4), true)
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true)
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true)
  }

  /**
   * A count of things that follow.
   *
   * @param what          what is counted, for the message
   * @param limit         the greatest number that is accepted
   * @param elementBytes  the least that each of them takes in the file
   */
  count(what: string, limit: number, elementBytes: number): number {
    const offset = this.position
    const count = this.uint64()
    if (count > BigInt(limit)) throw this.error(`${count} ${what}`, `at most ${limit}`, offset)
    const number = Number(count)
    if (number * elementBytes > this.remainingBytes) {
      throw this.error(
        `${number} ${what}`,
        `no more than fit into the ${this.remainingBytes} bytes that the file (${this.fileBytes} bytes) still has`,
        offset,
      )
    }
    return number
  }

  /** A length, then so many bytes of UTF-8. */
  string(limit = MAX_STRING_BYTES): string {
    const start = this.position
    const length = this.count('bytes of text', limit, 1)
    const offset = this.#advance(length)
    const text = decodeUtf8(this.#bytes.subarray(offset, offset + length))
    if (text === undefined) throw this.error('text that is not UTF-8', 'UTF-8', start)
    return text
  }

  /** Moves on and returns where it was. */
  #advance(bytes: number): number {
    const start = this.position
    const end = start + bytes
    if (end > this.fileBytes)
      throw this.error(`the end of the file at byte ${this.fileBytes}`, `a header that goes on to byte ${end} at least`, start)
    if (end > this.#bytes.byteLength) throw new PrefixTooShort(end)
    this.position = end
    return start
  }
}
