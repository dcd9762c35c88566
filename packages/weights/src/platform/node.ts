import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DisposedError } from '@foretoken/tensor'
import { FileError } from '../errors.ts'
import { type ByteSource, checkRange } from '../sources/byte-source.ts'

/** A read is cut here, so that an abort is noticed and no single read is longer than the system allows. */
const MAX_READ_BYTES = 64 * 1024 * 1024

/** What lies at a path. */
export type PathKind = 'file' | 'folder' | 'missing'

/**
 * A file on disk, open until it is disposed of.
 *
 * @throws {FileError} when there is no readable file at the path
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const name = basename(path)
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (cause) {
    throw new FileError({ file: path, found: 'no file that can be opened', expected: 'a readable file' }, { cause })
  }
  let byteLength: number
  try {
    const facts = await handle.stat()
    if (!facts.isFile()) throw new FileError({ file: path, found: 'something that is no file', expected: 'a readable file' })
    byteLength = facts.size
  } catch (cause) {
    await handle.close()
    throw cause
  }
  let isDisposed = false
  return {
    name,
    byteLength,
    async read(offset, length, options) {
      if (isDisposed) throw new DisposedError({ file: name, found: 'a read after disposal', expected: 'a source that is open' })
      checkRange({ name, byteLength }, offset, length)
      return await readFully(handle, { name, offset, length, signal: options?.signal })
    },
    async [Symbol.asyncDispose]() {
      if (isDisposed) return
      isDisposed = true
      await handle.close()
    },
  }
}

/** What lies at a path, links followed. */
export async function kindOfPath(path: string): Promise<PathKind> {
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) return 'folder'
    return facts.isFile() ? 'file' : 'missing'
  } catch {
    return 'missing'
  }
}

/** The names in a folder, sorted. */
export async function namesInFolder(path: string): Promise<readonly string[]> {
  const names = await readdir(path)
  return names.sort()
}

/** A path inside of a folder. */
export function pathInFolder(folder: string, name: string): string {
  return join(folder, name)
}

/** The folder of a path, and its last part. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  return { folder: dirname(path), name: basename(path) }
}

interface FullRead {
  readonly name: string
  readonly offset: number
  readonly length: number
  readonly signal?: AbortSignal | undefined
}

async function readFully(handle: FileHandle, { name, offset, length, signal }: FullRead): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    signal?.throwIfAborted()
    const wanted = Math.min(length - filled, MAX_READ_BYTES)
    const { bytesRead } = await handle.read(bytes, filled, wanted, offset + filled)
    if (bytesRead === 0) {
      throw new FileError({
        file: name,
        offset: offset + filled,
        found: 'the end of the file',
        expected: `${length - filled} more bytes: the file has become shorter since it was opened`,
      })
    }
    filled += bytesRead
  }
  signal?.throwIfAborted()
  return bytes
}
