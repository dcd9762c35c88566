/**
 * The files of one model by path, wherever they lie: a folder on disk, the cache of the hub, or what a user dropped into a page. What opens models reads
 * files through this, and nothing is read before it is asked for.
 */
import { ArgumentError } from '@foretoken/tensor'
import { FileError } from './errors.ts'
import { blobSource } from './sources/blob-source.ts'
import type { ByteSource } from './sources/byte-source.ts'

export interface FileSet {
  /** For messages: the folder, the repository, or the name of the only file. */
  readonly name: string
  /** `/` between folders; sorted. */
  readonly paths: readonly string[]
  /** Changes when a file changes; absent where that cannot be told. */
  readonly fingerprint?: string
  /** What the user should know about where the files are. One sentence each. */
  readonly notes: readonly string[]
  /**
   * A file, to be disposed of.
   *
   * @throws {FileError} when there is none at the path
   */
  open(path: string): Promise<ByteSource>
}

/** Files that a user chose or dropped: one, several (their names, or their paths below the chosen folder, tell them apart), or Blobs by path. */
export type ChosenFiles = Blob | readonly File[] | ReadonlyMap<string, Blob>

export function isChosenFiles(value: unknown): value is ChosenFiles {
  return value instanceof Blob || value instanceof Map || (Array.isArray(value) && value.every((item) => item instanceof Blob))
}

/**
 * Chosen files as those of a model; bytes are read in ranges, and nothing is held.
 *
 * @throws {ArgumentError} when there is none, or two have the same path
 */
export function blobFiles(chosen: ChosenFiles): FileSet {
  const blobs = new Map<string, Blob>()
  const add = (path: string, blob: Blob) => {
    if (blobs.has(path)) throw new ArgumentError({ file: path, found: 'two files of this name', expected: 'the files of one model' })
    blobs.set(path, blob)
  }
  if (chosen instanceof Blob) add(nameOf(chosen), chosen)
  else for (const [path, blob] of 'get' in chosen ? chosen : belowCommonFolder(chosen)) add(path, blob)
  const paths = [...blobs.keys()].sort()
  const [first] = paths
  if (first === undefined) throw new ArgumentError({ field: 'files', found: 'no file', expected: 'the files of a model' })
  return {
    name: paths.length === 1 ? first : `${paths.length} chosen files`,
    paths,
    fingerprint: [...blobs].map(([path, blob]) => `${path} ${blob.size} ${blob instanceof File ? blob.lastModified : 'blob'}`).join('\n'),
    notes: [],
    async open(path) {
      const blob = blobs.get(path)
      if (blob === undefined)
        throw new FileError({ file: path, found: 'no such file', expected: `one of ${paths.slice(0, 10).join(', ')}` })
      return blobSource(blob, path)
    },
  }
}

/** The text of a small file; undefined when there is none at the path. */
export async function readFileText(files: FileSet, path: string): Promise<string | undefined> {
  if (!files.paths.includes(path)) return undefined
  await using source = await files.open(path)
  return new TextDecoder().decode(await source.read(0, source.byteLength))
}

/** A chosen folder comes with its own name before each path. */
function belowCommonFolder(files: readonly File[]): [string, File][] {
  const paths = files.map((file) => file.webkitRelativePath || file.name)
  const folder = paths[0]?.split('/')[0]
  const isCommon = paths.every((path) => path.includes('/') && path.split('/')[0] === folder)
  return files.map((file, index) => [isCommon ? (paths[index] ?? '').slice((folder ?? '').length + 1) : (paths[index] ?? ''), file])
}

function nameOf(blob: Blob): string {
  return blob instanceof File && blob.name !== '' ? blob.name : 'model.gguf'
}
