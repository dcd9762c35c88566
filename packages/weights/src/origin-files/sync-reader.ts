/**
 * Reading a file of the origin without waiting, which only workers may: through an access handle that others may have at the same time, else through a
 * `FileReaderSync`, which every browser has and which makes an array for each read.
 */
import { hasSyncAccess } from './sync-access.ts'

/** To be closed: where handles cannot be shared, nobody else can open the file before. */
export interface SyncReader extends Disposable {
  /** The bytes [offset, offset + length), which the next read may overwrite. */
  read(offset: number, length: number): Uint8Array
}

/** @returns undefined in a page's own thread */
export async function openSyncReader(handle: FileSystemFileHandle, file: File): Promise<SyncReader | undefined> {
  return (await handleReader(handle)) ?? blobReader(file)
}

async function handleReader(handle: FileSystemFileHandle): Promise<SyncReader | undefined> {
  if (!hasSyncAccess(handle)) return undefined
  // a browser that cannot share handles gives one alone, and the next tab none
  const access = await handle.createSyncAccessHandle({ mode: 'read-only' }).catch(() => undefined)
  if (access === undefined) return undefined
  let bytes = new Uint8Array(0)
  return {
    read(offset, length) {
      if (bytes.byteLength < length) bytes = new Uint8Array(length)
      const wanted = bytes.subarray(0, length)
      const count = access.read(wanted, { at: offset })
      if (count !== length) throw new RangeError(`${count} bytes at ${offset}, expected ${length}`)
      return wanted
    },
    [Symbol.dispose]: () => access.close(),
  }
}

interface BlobReader {
  readAsArrayBuffer(blob: Blob): ArrayBuffer
}

function blobReader(file: File): SyncReader | undefined {
  // TypeScript knows it in the types of workers only, which contradict those of pages
  const FileReaderSync: unknown = Reflect.get(globalThis, 'FileReaderSync')
  if (typeof FileReaderSync !== 'function') return undefined
  const reader: BlobReader = Reflect.construct(FileReaderSync, [])
  return {
    read: (offset, length) => new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, offset + length))),
    [Symbol.dispose]: () => undefined,
  }
}
