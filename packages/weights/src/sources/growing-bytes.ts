/** Bytes that arrive one part after the other and stay in memory: in blocks, because one array of gigabytes is refused by many browsers. */
import { ArgumentError, DisposedError } from '@foretoken/tensor'
import { type ByteSource, checkRange } from './byte-source.ts'

const BLOCK_BYTES = 32 * 1024 * 1024

export class GrowingBytes {
  readonly #blocks: Uint8Array[] = []
  readonly #expectedBytes: number
  #byteLength = 0

  /** @param expectedBytes  the most there will be: no block is longer than needed */
  constructor(expectedBytes: number) {
    this.#expectedBytes = expectedBytes
  }

  get byteLength(): number {
    return this.#byteLength
  }

  /** @throws {ArgumentError} when there would be more than were expected */
  append(bytes: Uint8Array): void {
    const after = this.#byteLength + bytes.byteLength
    if (after > this.#expectedBytes) throw new ArgumentError({ found: `${after} bytes`, expected: `at most ${this.#expectedBytes}` })
    for (let taken = 0; taken < bytes.byteLength; ) {
      const used = this.#byteLength % BLOCK_BYTES
      if (used === 0) this.#blocks.push(new Uint8Array(Math.min(BLOCK_BYTES, this.#expectedBytes - this.#byteLength)))
      const block = this.#blocks.at(-1)
      if (block === undefined) return
      const count = Math.min(block.byteLength - used, bytes.byteLength - taken)
      block.set(bytes.subarray(taken, taken + count), used)
      taken += count
      this.#byteLength += count
    }
  }

  clear(): void {
    this.#blocks.length = 0
    this.#byteLength = 0
  }

  /** What is there now, as a source. A read inside of one block is a view. */
  source(name: string): ByteSource {
    const byteLength = this.#byteLength
    const blocks = this.#blocks
    let isDisposed = false
    return {
      name,
      byteLength,
      async read(offset, length, options) {
        options?.signal?.throwIfAborted()
        if (isDisposed) throw new DisposedError({ file: name, found: 'a read after disposal', expected: 'a source that is open' })
        checkRange({ name, byteLength }, offset, length)
        const first = Math.floor(offset / BLOCK_BYTES)
        const start = offset - first * BLOCK_BYTES
        if (start + length <= BLOCK_BYTES) return blocks[first]?.subarray(start, start + length) ?? new Uint8Array(0)
        const bytes = new Uint8Array(length)
        for (let index = first, filled = 0; filled < length; index++) {
          const from = index === first ? start : 0
          const part = blocks[index]?.subarray(from, Math.min(BLOCK_BYTES, from + length - filled)) ?? new Uint8Array(0)
          bytes.set(part, filled)
          filled += part.byteLength
        }
        return bytes
      },
      async [Symbol.asyncDispose]() {
        isDisposed = true
      },
    }
  }
}
