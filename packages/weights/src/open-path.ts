/**
 * What a user has: a folder as the hub lays it out, or one file, on disk or as a set of files. The format is told by the names; pickle files are never opened,
 * because reading them runs code that they contain.
 */
import { fileSource, kindOfPath, namesInFolder, pathInFolder, splitPath } from '#platform'
import { FileError, WeightsFormatError } from './errors.ts'
import type { FileSet } from './file-set.ts'
import { openGguf } from './gguf/open-gguf.ts'
import { openSafetensors } from './safetensors/open-safetensors.ts'
import { readShardIndex } from './safetensors/shard-index.ts'
import { type ByteSource, disposeSources } from './sources/byte-source.ts'
import type { WeightStore } from './weight-store.ts'

const SAFETENSORS_FILE = 'model.safetensors'
const INDEX_FILE = 'model.safetensors.index.json'
const PICKLE = /\.(bin|pt|pth|pkl|pickle|ckpt)$/i
/** `name-00001-of-00003.gguf`, as llama.cpp names the parts of a split model. */
const SPLIT_NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/

interface OpenOptions {
  readonly signal?: AbortSignal | undefined
}

/** One folder: its name for messages, and its files. */
interface Folder {
  readonly name: string
  readonly names: readonly string[]
  open(name: string): Promise<ByteSource>
  /** How messages call a file. */
  place(name: string): string
}

/**
 * Opens the weights at a path (Node only): a folder with `model.safetensors`, its shards and index, or one `.gguf`; or a `.safetensors`, `.gguf` or
 * index file. The parts of a split GGUF are found beside the one that is named.
 *
 * @returns the open store, to be disposed of
 * @throws {FileError} when there is nothing at the path, or a part is missing
 * @throws {WeightsFormatError} when the files are broken or of a format that is not read
 */
export async function openWeights(path: string, options: OpenOptions = {}): Promise<WeightStore> {
  const kind = await kindOfPath(path)
  if (kind === 'missing')
    throw new FileError({ file: path, found: 'nothing', expected: 'a folder with model.safetensors, or a .safetensors or .gguf file' })
  const { folder, name } = kind === 'folder' ? { folder: path, name: undefined } : splitPath(path)
  const place = (each: string) => pathInFolder(folder, each)
  const names = kind === 'folder' ? await namesInFolder(path) : []
  return openIn({ name: folder, names, place, open: (each) => fileSource(place(each)) }, name, options)
}

/**
 * Opens the weights among the files of a model, which need not be on a disk.
 *
 * @param path  which file, as in `openWeights`; the one that a folder would be opened by when absent
 * @returns the open store, to be disposed of
 * @throws {FileError} {WeightsFormatError} as `openWeights`
 */
export async function openWeightFiles(files: FileSet, options: OpenOptions & { readonly path?: string } = {}): Promise<WeightStore> {
  const { path, ...rest } = options
  const folder = path === undefined ? '' : path.slice(0, path.lastIndexOf('/') + 1)
  const names = files.paths.filter((each) => each.startsWith(folder)).map((each) => each.slice(folder.length))
  const place = (name: string) => (files.paths.length === 1 ? name : `${files.name}/${folder}${name}`)
  return openIn({ name: files.name, names, place, open: (name) => files.open(`${folder}${name}`) }, path?.slice(folder.length), rest)
}

function openIn(folder: Folder, name: string | undefined, options: OpenOptions): Promise<WeightStore> {
  return name === undefined ? openFolder(folder, options) : openFile(folder, name, options)
}

async function openFolder(folder: Folder, options: OpenOptions): Promise<WeightStore> {
  const { names } = folder
  if (names.includes(SAFETENSORS_FILE)) return await openFile(folder, SAFETENSORS_FILE, options)
  if (names.includes(INDEX_FILE)) return await openShards(folder, INDEX_FILE, options)
  const gguf = names.filter((name) => name.endsWith('.gguf') && (SPLIT_NAME.exec(name)?.[2] ?? '00001') === '00001')
  const [only] = gguf
  if (only !== undefined && gguf.length === 1) return await openFile(folder, only, options)
  if (gguf.length > 1)
    throw new FileError({
      file: folder.name,
      found: `several models: ${gguf.slice(0, 10).join(', ')}`,
      expected: 'the path of one of them',
    })
  const pickle = names.find((name) => PICKLE.test(name))
  if (pickle !== undefined) throw pickleRefused(folder.place(pickle))
  throw new FileError({
    file: folder.name,
    found: 'a folder without weights',
    expected: `${SAFETENSORS_FILE}, ${INDEX_FILE} with its shards, or a .gguf file`,
  })
}

async function openFile(folder: Folder, name: string, options: OpenOptions): Promise<WeightStore> {
  if (PICKLE.test(name)) throw pickleRefused(folder.place(name))
  if (name.endsWith('.safetensors')) return await openSafetensors(await folder.open(name), options)
  if (name.endsWith('.safetensors.index.json')) return await openShards(folder, name, options)
  if (name.endsWith('.gguf')) return await openGguf(await openAll(folder, splitNames(name)), options)
  throw new WeightsFormatError({ file: folder.place(name), found: 'a file of another format', expected: 'a .safetensors or .gguf file' })
}

async function openShards(folder: Folder, indexName: string, options: OpenOptions): Promise<WeightStore> {
  await using indexSource = await folder.open(indexName)
  const index = await readShardIndex(indexSource, options)
  return await openSafetensors(await openAll(folder, index.files), { ...options, index })
}

/** The names of all parts when the name is that of a part. */
function splitNames(name: string): readonly string[] {
  const [, stem, , count] = SPLIT_NAME.exec(name) ?? []
  if (stem === undefined || count === undefined) return [name]
  const names: string[] = []
  for (let part = 1; part <= Number(count); part++) names.push(`${stem}-${String(part).padStart(5, '0')}-of-${count}.gguf`)
  return names
}

/** Opens all files, or none. */
async function openAll(folder: Folder, names: readonly string[]): Promise<readonly ByteSource[]> {
  const sources: ByteSource[] = []
  try {
    for (const name of names) sources.push(await folder.open(name))
    return sources
  } catch (cause) {
    await disposeSources(sources)
    throw cause
  }
}

function pickleRefused(path: string): WeightsFormatError {
  return new WeightsFormatError({
    file: path,
    found: 'a PyTorch pickle file, which can run code when it is read',
    expected: 'safetensors: convert the checkpoint, or take the safetensors version of it from the hub',
  })
}
