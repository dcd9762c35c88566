/** Files: the texts of a checkpoint's folder, and converted weights on disk. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EncodedModel, externalChunks } from '@foretoken/graph'
import { openHub } from '@foretoken/weights/hub'
import type { ConversionJob } from '../conversion-job.ts'
import { CheckpointError } from '../errors.ts'
import type { ExportedChoice } from '../exported/exported-files.ts'
import type { HubAccess } from '../hub-access.ts'
import { cachedHubModel, downloadHubModel } from '../locate/hub-model.ts'
import { weightsAt } from '../locate/local-weights.ts'
import type { Located } from '../locate/located-files.ts'
import { readModelReference } from '../locate/model-reference.ts'
import { externalBytes, type StoredModel, type StoreOptions, storeAsOneArray, storeInMemory, WEIGHTS_LOCATION } from '../stored-model.ts'
import { convertPart, threadsFor } from './convert-in-parallel.ts'
import { useEntry } from './disk-entries.ts'
import { keptTexts } from './kept-texts.ts'
import { WritesUnderWay } from './writes-under-way.ts'

export { removeEntry, storedEntries } from './disk-entries.ts'
export { openGraphFile } from './graph-file.ts'
export { describeProcessor } from './processor.ts'

const GRAPH_NAME = 'model.onnx'

const PART_SCRIPT = new URL(import.meta.url.endsWith('.ts') ? './convert-part.ts' : './convert-part.js', import.meta.url)

/** Part of the key of kept weights: raise it when the bytes of a packed format change while its name does not. */
const CONVERSION_VERSION = 1

export async function readFolderText(folder: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, file), 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Names of the files in a folder and below, with `/` between folders. */
export async function namesInFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.map((name) => name.replaceAll('\\', '/')).sort()
}

/**
 * The path of the weights that a source means: a path as it is, a repository of the hub from the cache, or downloaded.
 *
 * @throws {CheckpointError} when nothing is at the path, and what `hub.download` throws
 */
export async function locateWeights(
  source: string,
  options: HubAccess & { readonly exported?: ExportedChoice | undefined },
): Promise<Located> {
  const exists = await stat(source).then(
    () => true,
    () => false,
  )
  const reference = readModelReference(source, exists)
  if (reference.kind === 'path') {
    const found = await weightsAt(reference.path, options.exported)
    if ('path' in found) return found
    throw new CheckpointError({
      file: source,
      found: found.reason,
      expected:
        'a folder with model.safetensors, a .gguf or .onnx file, or a repository of the hub: organisation/name[@revision][/file.gguf]',
    })
  }
  const { cacheFolder = join(homedir(), '.cache', 'huggingface', 'hub'), signal, onProgress, exported, ...access } = options
  const hub = openHub({ cacheFolder, ...access })
  const cached = await cachedHubModel(hub, reference, exported)
  return cached ?? { path: await downloadHubModel(hub, reference, { signal, onProgress, exported }) }
}

/** Identifies the files at a path by their names, sizes and times of change. */
export async function fingerprintOf(path: string): Promise<string> {
  const real = await realpath(path)
  const names = (await stat(real)).isDirectory() ? (await readdir(real)).sort().map((name) => join(real, name)) : [real]
  const facts = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(name)
      return `${name} ${size} ${mtimeMs}`
    }),
  )
  return facts.join('\n')
}

/** Kept weights where a folder and a fingerprint are given, temporary ones otherwise; in memory where no disk can be written. */
export async function storeModel(model: EncodedModel, options: StoreOptions): Promise<StoredModel> {
  // the wasm library reads no files: the weights go into its heap in any case
  if (options.isForWasm) return storeInMemory(model, options)
  try {
    return options.folder === undefined || options.fingerprint === undefined
      ? await storeTemporarily(model, options)
      : await storeForLater(model, options.folder, options.fingerprint, options)
  } catch (error) {
    if (!isDiskError(error)) throw error
    const inMemory = await storeAsOneArray(model, options)
    return { ...inMemory, note: `${inMemory.note}: the disk could not be written (${error.code})` }
  }
}

async function storeForLater(model: EncodedModel, folder: string, fingerprint: string, options: StoreOptions): Promise<StoredModel> {
  const bytes = model.bytes()
  const key = createHash('sha256').update(bytes).update(`\n${CONVERSION_VERSION}\n${fingerprint}`).digest('hex').slice(0, 32)
  const target = join(folder, key)
  const weightsBytes = externalBytes(model)
  const nothing = () => Promise.resolve()
  const facts = { weightsBytes, graphBytes: bytes.byteLength, kept: keptTexts(target), release: nothing, [Symbol.asyncDispose]: nothing }
  const source = { kind: 'file' as const, path: join(target, GRAPH_NAME) }
  if (await isComplete(target, bytes.byteLength, weightsBytes)) {
    await useEntry(folder, key, options)
    return { ...facts, source, note: 'converted weights of an earlier start are mapped' }
  }

  await mkdir(folder, { recursive: true })
  const draft = join(folder, `.${key}-${randomUUID()}`)
  try {
    await mkdir(draft)
    await writeModel(model, bytes, draft, options)
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // another process may have finished the same conversion first
    if (!(await isComplete(target, bytes.byteLength, weightsBytes))) throw error
  }
  await useEntry(folder, key, options)
  return { ...facts, source, note: 'converted weights are kept for later starts' }
}

async function storeTemporarily(model: EncodedModel, options: StoreOptions): Promise<StoredModel> {
  const folder = await mkdtemp(join(tmpdir(), 'foretoken-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const bytes = model.bytes()
    await writeModel(model, bytes, folder, options)
    return {
      source: { kind: 'file', path: join(folder, GRAPH_NAME) },
      weightsBytes: externalBytes(model),
      graphBytes: bytes.byteLength,
      note: 'converted weights are in a temporary file',
      // a mapped file needs no name, and one without a name is gone even when the process is killed; Windows keeps it until disposal
      release: () => remove().catch(() => undefined),
      [Symbol.asyncDispose]: remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The weights first: a folder with a graph in it is whole. */
async function writeModel(
  model: EncodedModel,
  graph: Uint8Array,
  folder: string,
  { onProgress, signal, conversion }: StoreOptions,
): Promise<void> {
  const totalBytes = externalBytes(model)
  if (totalBytes > 0) {
    const path = join(folder, WEIGHTS_LOCATION)
    await using file = await open(path, 'w')
    await file.truncate(totalBytes)
    let doneBytes = 0
    const onConverted = (byteLength: number) => {
      doneBytes += byteLength
      onProgress?.({ doneBytes: Math.min(doneBytes, totalBytes), totalBytes })
    }
    const of = conversion === undefined ? 1 : threadsFor(conversion, totalBytes)
    await using writes = new WritesUnderWay(file)
    const convertHere = async (index: number) => {
      for await (const { offset, bytes } of externalChunks(model.external, {
        part: { index, of },
        ...(signal === undefined ? {} : { signal }),
      })) {
        await writes.add(bytes, offset)
        onConverted(bytes.byteLength)
      }
    }
    await convertParts(conversion, path, totalBytes, of, convertHere, onConverted, signal)
    await writes.finish()
    onProgress?.({ doneBytes: totalBytes, totalBytes })
  }
  await writeFile(join(folder, GRAPH_NAME), graph)
}

/** The first part in this thread, the others in one each; what they leave, in this one again. */
async function convertParts(
  conversion: ConversionJob | undefined,
  file: string,
  totalBytes: number,
  of: number,
  convertHere: (index: number) => Promise<void>,
  onConverted: (byteLength: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (conversion === undefined || of === 1) return await convertHere(0)
  const { threads: _, ...job } = conversion
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const others = Array.from({ length: of - 1 }, (_, at) => at + 1)
  const elsewhere = others.map((index) => convertPart({ ...job, file, totalBytes, index, of }, PART_SCRIPT, onConverted, either))
  try {
    await convertHere(0)
    for (const [at, index] of others.entries()) if (!(await elsewhere[at])) await convertHere(index)
  } finally {
    stop.abort()
    await Promise.allSettled(elsewhere)
  }
}

async function isComplete(folder: string, graphBytes: number, weightsBytes: number): Promise<boolean> {
  const size = (name: string) =>
    stat(join(folder, name)).then(
      (facts) => facts.size,
      () => 0,
    )
  return (await size(GRAPH_NAME)) === graphBytes && (await size(WEIGHTS_LOCATION)) === weightsBytes
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

const DISK_ERRORS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EFBIG'] as const

function isDiskError(error: unknown): error is Error & { readonly code: (typeof DISK_ERRORS)[number] } {
  return error instanceof Error && 'code' in error && DISK_ERRORS.some((code) => code === error.code)
}
