/**
 * Writing a file of the origin: through an access handle where there is one, which puts bytes into the file as they come; elsewhere through a
 * stream, whose bytes are in the file once it is closed, so that a closed tab loses them.
 */
import { FileError } from '../errors.ts'
import { hasSyncAccess, type SyncAccessHandle } from './sync-access.ts'

/** Closed by disposal; what was written stays. */
export interface WritableFile extends AsyncDisposable {
  /** Whether bytes are in the file as soon as they are written. */
  readonly isDirect: boolean
  /** @throws an error that `storageRefusal` explains, when there is no room */
  write(bytes: Uint8Array, offset: number): Promise<void>
  truncate(byteLength: number): Promise<void>
  /** Waits until what was written has reached the disk. */
  flush(): Promise<void>
}

/** @throws {FileError} when somebody else is writing the file, or it cannot be opened */
export async function openToWrite(handle: FileSystemFileHandle): Promise<WritableFile> {
  try {
    return hasSyncAccess(handle) ? directFile(await handle.createSyncAccessHandle()) : await streamedFile(handle)
  } catch (cause) {
    if (storageRefusal(cause) !== undefined) throw cause
    throw new FileError(
      { file: handle.name, found: `a file that cannot be opened (${String(cause)})`, expected: 'one that nobody else writes' },
      { cause },
    )
  }
}

/** Why the browser takes no more bytes, when that is what an error says; such bytes may be held in memory instead. */
export function storageRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error.name === 'QuotaExceededError') return 'the browser gives this page no more room'
  return error.name === 'NotSupportedError' ? 'this browser lets only workers write files' : undefined
}

function directFile(access: SyncAccessHandle): WritableFile {
  let isOpen = true
  return {
    isDirect: true,
    async write(bytes, offset) {
      for (let written = 0; written < bytes.byteLength; ) {
        const count = access.write(bytes.subarray(written), { at: offset + written })
        // Chromium 156 throws nothing where room ends: it returns an error's negative number, read as an unsigned one (4294967288)
        const isCount = count > 0 && count <= bytes.byteLength - written
        if (!isCount) throw new DOMException(`a write of ${bytes.byteLength - written} bytes returned ${count}`, 'QuotaExceededError')
        written += count
      }
    },
    async truncate(byteLength) {
      access.truncate(byteLength)
    },
    async flush() {
      access.flush()
    },
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      access.close()
    },
  }
}

async function streamedFile(handle: FileSystemFileHandle): Promise<WritableFile> {
  // Safari before 26
  if (!('createWritable' in handle)) throw new DOMException('files without createWritable', 'NotSupportedError')
  const stream = await handle.createWritable({ keepExistingData: true })
  let isOpen = true
  return {
    isDirect: false,
    // a copy: the stream takes no views of shared memory, and reads after it has come back
    write: (bytes, offset) => stream.write({ type: 'write', position: offset, data: new Uint8Array(bytes) }),
    truncate: (byteLength) => stream.truncate(byteLength),
    flush: () => Promise.resolve(),
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      await stream.close()
    },
  }
}
