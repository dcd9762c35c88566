/**
 * Converted weights in files of a page's origin, read back tensor by tensor into the heap of the runtime. An entry is a folder: `weights.bin`, small texts,
 * and `entry`, which is written last, so that a folder without it is not whole. One tab at a time converts; the others wait and find it done.
 */
import { type EncodedModel, externalChunks } from '@foretoken/graph'
import { findOriginFolder, type OriginFolder, openOriginFolder, storageRefusal, takeOriginLock } from '@foretoken/weights/origin-files'
import { lazyBytes } from '../lazy-bytes.ts'
import { ENTRY_NAME, entryText, isEntryKey, leastRecentlyUsed, readEntryText, type StoredModelEntry } from '../stored-entry.ts'
import {
  externalBytes,
  heldModel,
  type KeptTexts,
  type StoredModel,
  type StoreOptions,
  storeInMemory,
  WEIGHTS_LOCATION,
} from '../stored-model.ts'

/** Part of the key of kept weights: raise it when the bytes of a packed format change while its name does not. */
const CONVERSION_VERSION = 1

/** Kept weights where a folder and a fingerprint are given and the browser has room; in memory otherwise. */
export async function storeModel(model: EncodedModel, options: StoreOptions): Promise<StoredModel> {
  const { folder, fingerprint } = options
  if (folder === undefined || fingerprint === undefined) return storeInMemory(model, options)
  const opened = await openOriginFolder(folder)
  const inMemory = async (reason: string) => {
    const stored = await storeInMemory(model, options)
    return { ...stored, note: `${stored.note}: ${reason}` }
  }
  if (!('folder' in opened)) return inMemory(opened.reason)
  const key = await keyOf(model, fingerprint)
  const name = `foretoken ${folder}/${key}`
  await using _lock = await takeOriginLock(name, { signal: options.signal })
  let refusal: string | undefined
  try {
    return await storeForLater(model, key, opened.folder, options)
  } catch (error) {
    refusal = storageRefusal(error)
    if (refusal === undefined) throw error
    await opened.folder.remove(key)
  }
  return inMemory(refusal)
}

export async function storedEntries(folder: string): Promise<readonly StoredModelEntry[]> {
  const root = await findOriginFolder(folder)
  if (root === undefined) return []
  const keys = (await root.entries()).map(({ name }) => name).filter(isEntryKey)
  return Promise.all(keys.map(async (key) => readOriginEntry(await root.folder(key), key)))
}

export async function removeEntry(folder: string, key: string): Promise<void> {
  await (await findOriginFolder(folder))?.remove(key)
}

/** Makes room; what another tab is writing stays. */
async function removeLeastRecent(folder: string, mostBytes: number, keep: string): Promise<void> {
  for (const { key } of leastRecentlyUsed(await storedEntries(folder), mostBytes, keep)) {
    await removeEntry(folder, key).catch(() => undefined)
  }
}

async function readOriginEntry(folder: OriginFolder, key: string): Promise<StoredModelEntry> {
  const names = (await folder.entries()).map(({ name }) => name)
  const files = await Promise.all(names.map((name) => folder.file(name)))
  const { name, usedMs } = readEntryText(await folder.readText(ENTRY_NAME)) ?? {
    name: '',
    usedMs: Math.max(0, ...files.map((file) => file?.lastModified ?? 0)),
  }
  return { key, name, usedMs, byteLength: files.reduce((sum, file) => sum + (file?.size ?? 0), 0) }
}

async function storeForLater(model: EncodedModel, key: string, root: OriginFolder, options: StoreOptions): Promise<StoredModel> {
  const weightsBytes = externalBytes(model)
  const folder = await root.folder(key)
  const isKept = (await folder.readText(ENTRY_NAME)) !== undefined && (await weightsIn(folder))?.size === weightsBytes
  if (!isKept) {
    await folder.remove(ENTRY_NAME)
    await writeWeights(model, weightsBytes, folder, options)
  }
  await folder.writeText(ENTRY_NAME, entryText(options.name ?? ''))
  const weights = await weightsIn(folder)
  if (weights?.size !== weightsBytes) throw new DOMException(`${weights?.size} bytes stored of ${weightsBytes}`, 'QuotaExceededError')
  if (options.limitBytes !== undefined) await removeLeastRecent(root.path, options.limitBytes, key)
  const facts = {
    note: isKept
      ? 'converted weights of an earlier start are read from files of the origin'
      : 'converted weights are kept for later starts',
    kept: keptTexts(folder),
  }
  const reader = await folder.readSync(WEIGHTS_LOCATION)
  if (reader === undefined) return { ...(await readBack(model, weights, options)), ...facts }
  const close = async () => reader[Symbol.dispose]()
  return {
    ...facts,
    source: {
      kind: 'bytes',
      bytes: model.bytes(),
      externalData: [{ path: WEIGHTS_LOCATION, data: lazyBytes(weightsBytes, (offset, length) => reader.read(offset, length)) }],
    },
    weightsBytes,
    graphBytes: model.byteLength,
    release: close,
    [Symbol.asyncDispose]: close,
  }
}

async function writeWeights(
  model: EncodedModel,
  totalBytes: number,
  folder: OriginFolder,
  { onProgress, signal }: StoreOptions,
): Promise<void> {
  await using file = await folder.write(WEIGHTS_LOCATION)
  await file.truncate(totalBytes)
  for await (const { offset, bytes } of externalChunks(model.external, signal === undefined ? {} : { signal })) {
    await file.write(bytes, offset)
    onProgress?.({ doneBytes: offset + bytes.byteLength, totalBytes })
  }
  await file.flush()
}

/** Where nothing can be read at once (a page's own thread), all tensors are read before the session asks for them. */
async function readBack(model: EncodedModel, weights: File, { signal }: StoreOptions): Promise<StoredModel> {
  const chunks = (async function* () {
    for (const { name, offset, length } of model.external) {
      signal?.throwIfAborted()
      yield { name, offset, bytes: new Uint8Array(await weights.slice(offset, offset + length).arrayBuffer()) }
    }
  })()
  return heldModel(model, chunks)
}

async function weightsIn(folder: OriginFolder): Promise<File | undefined> {
  return folder.file(WEIGHTS_LOCATION)
}

/** Small texts beside the weights. They save time and nothing else, so a browser that refuses them is no error. */
function keptTexts(folder: OriginFolder): KeptTexts {
  return {
    read: (name) => folder.readText(name).catch(() => undefined),
    write: (name, text) => folder.writeText(name, text).catch(() => undefined),
  }
}

async function keyOf(model: EncodedModel, fingerprint: string): Promise<string> {
  const facts = new TextEncoder().encode(`\n${CONVERSION_VERSION}\n${fingerprint}`)
  const graph = model.bytes()
  const named = new Uint8Array(graph.byteLength + facts.byteLength)
  named.set(graph)
  named.set(facts, graph.byteLength)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', named))
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
