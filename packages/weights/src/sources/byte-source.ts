import { ArgumentError } from '@foretoken/tensor'

/**
 * Bytes that can be read from anywhere in the middle: a file, a Blob, a server, or memory. What differs between them ends here;
 * the readers of formats know nothing else.
 */
export interface ByteSource extends AsyncDisposable {
  /** For error messages and for finding a shard: the last part of a path or address. */
  readonly name: string
  readonly byteLength: number
  /**
   * Reads exactly the bytes [offset, offset + length).
   *
   * @returns the bytes; they may be a view of the source's own memory, so the caller does not write into them
   * @throws {ArgumentError} when the range does not lie inside of the source
   */
  read(offset: number, length: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<Uint8Array>
}

/** Refuses a range that does not lie inside of a source. */
export function checkRange(source: { readonly name: string; readonly byteLength: number }, offset: number, length: number): void {
  const isInside =
    Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= source.byteLength
  if (isInside) return
  throw new ArgumentError({
    file: source.name,
    offset,
    found: `a read of ${length} bytes`,
    expected: `a range inside of the ${source.byteLength} bytes of the source`,
  })
}

/** Disposes of all sources, even when disposing of one of them fails. */
export async function disposeSources(sources: Iterable<ByteSource>): Promise<void> {
  await Promise.allSettled([...sources].map((source) => source[Symbol.asyncDispose]()))
}
