/**
 * What a user has on disk: a folder as the hub lays it out, or one file. The format is told by the names; pickle files are never opened, because
 * reading them runs code that they contain.
 */
import { fileSource, kindOfPath, namesInFolder, pathInFolder, splitPath } from '#platform'
import { FileError, WeightsFormatError } from './errors.ts'
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
  return kind === 'folder' ? await openFolder(path, options) : await openFile(path, options)
}

async function openFolder(folder: string, options: OpenOptions): Promise<WeightStore> {
  const names = await namesInFolder(folder)
  if (names.includes(SAFETENSORS_FILE)) return await openFile(pathInFolder(folder, SAFETENSORS_FILE), options)
  if (names.includes(INDEX_FILE)) return await openShards(folder, INDEX_FILE, options)
  const gguf = names.filter((name) => name.endsWith('.gguf') && (SPLIT_NAME.exec(name)?.[2] ?? '00001') === '00001')
  const [only] = gguf
  if (only !== undefined && gguf.length === 1) return await openFile(pathInFolder(folder, only), options)
  if (gguf.length > 1)
    throw new FileError({ file: folder, found: `several models: ${gguf.slice(0, 10).join(', ')}`, expected: 'the path of one of them' })
  const pickle = names.find((name) => PICKLE.test(name))
  if (pickle !== undefined) throw pickleRefused(pathInFolder(folder, pickle))
  throw new FileError({
    file: folder,
    found: 'a folder without weights',
    expected: `${SAFETENSORS_FILE}, ${INDEX_FILE} with its shards, or a .gguf file`,
  })
}

async function openFile(path: string, options: OpenOptions): Promise<WeightStore> {
  const { folder, name } = splitPath(path)
  if (PICKLE.test(name)) throw pickleRefused(path)
  if (name.endsWith('.safetensors')) return await openSafetensors(await fileSource(path), options)
  if (name.endsWith('.safetensors.index.json')) return await openShards(folder, name, options)
  if (name.endsWith('.gguf')) return await openGguf(await openAll(splitPaths(folder, name)), options)
  throw new WeightsFormatError({ file: path, found: 'a file of another format', expected: 'a .safetensors or .gguf file' })
}

async function openShards(folder: string, indexName: string, options: OpenOptions): Promise<WeightStore> {
  await using indexSource = await fileSource(pathInFolder(folder, indexName))
  const index = await readShardIndex(indexSource, options)
  const paths = index.files.map((file) => pathInFolder(folder, file))
  return await openSafetensors(await openAll(paths), { ...options, index })
}

/** The paths of all parts when the name is that of a part. */
function splitPaths(folder: string, name: string): readonly string[] {
  const [, stem, , count] = SPLIT_NAME.exec(name) ?? []
  if (stem === undefined || count === undefined) return [pathInFolder(folder, name)]
  const paths: string[] = []
  for (let part = 1; part <= Number(count); part++) {
    paths.push(pathInFolder(folder, `${stem}-${String(part).padStart(5, '0')}-of-${count}.gguf`))
  }
  return paths
}

/** Opens all files, or none. */
async function openAll(paths: readonly string[]): Promise<readonly ByteSource[]> {
  const sources: ByteSource[] = []
  try {
    for (const path of paths) sources.push(await fileSource(path))
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
