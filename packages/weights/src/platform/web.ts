import { PlatformError } from '../errors.ts'
import type { ByteSource } from '../sources/byte-source.ts'

/** What lies at a path. */
export type PathKind = 'file' | 'folder' | 'missing'

/** @throws {PlatformError} always: a page has no paths; use `blobSource` or `httpSource` */
export async function fileSource(path: string): Promise<ByteSource> {
  throw noFiles(path)
}

/** @throws {PlatformError} always */
export async function kindOfPath(path: string): Promise<PathKind> {
  throw noFiles(path)
}

/** @throws {PlatformError} always */
export async function namesInFolder(path: string): Promise<readonly string[]> {
  throw noFiles(path)
}

/** @throws {PlatformError} always */
export function pathInFolder(folder: string, _name: string): string {
  throw noFiles(folder)
}

/** @throws {PlatformError} always */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  throw noFiles(path)
}

function noFiles(path: string): PlatformError {
  return new PlatformError({
    file: path,
    found: 'a path in a runtime without a file system',
    expected: 'a Blob (blobSource) or an address (httpSource)',
  })
}
