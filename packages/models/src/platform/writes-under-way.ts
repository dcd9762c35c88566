/**
 * Writing while the next weights are converted: a write is begun and not waited for, so that the system's threads copy one group into the file while this
 * thread works on the next. What waits is bounded, or a slow disk would collect the whole model in memory.
 */
import type { FileHandle } from 'node:fs/promises'

const MOST_WAITING_BYTES = 64 * 1024 * 1024

interface Write {
  readonly byteLength: number
  readonly done: Promise<unknown>
}

/** Disposed of before the file is closed: waits for what is under way, whatever became of it. */
export class WritesUnderWay implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #waiting: Write[] = []
  #waitingBytes = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /**
   * Begins a write; comes back when there is room for another one.
   *
   * @param bytes  not to be changed until `finish`
   * @throws what an earlier write threw
   */
  async add(bytes: Uint8Array, offset: number): Promise<void> {
    const done = writeFully(this.#file, bytes, offset)
    // noticed when it is waited for
    done.catch(() => undefined)
    this.#waiting.push({ byteLength: bytes.byteLength, done })
    this.#waitingBytes += bytes.byteLength
    while (this.#waitingBytes > MOST_WAITING_BYTES) await this.#oldest()
  }

  /** @throws what a write threw */
  async finish(): Promise<void> {
    while (this.#waiting.length > 0) await this.#oldest()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#waiting.map(({ done }) => done))
  }

  async #oldest(): Promise<void> {
    const [write] = this.#waiting
    if (write === undefined) return
    await write.done
    this.#waiting.shift()
    this.#waitingBytes -= write.byteLength
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    written += (await file.write(bytes, written, bytes.byteLength - written, offset + written)).bytesWritten
  }
}
