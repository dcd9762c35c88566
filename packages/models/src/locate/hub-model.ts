/** A model of the hub: from the cache when it is there whole, else downloaded. */
import { type DownloadProgress, type Hub, RepositoryError, type WeightPreference } from '@foretoken/weights/hub'
import { type ExportedChoice, exportedFiles } from '../exported/exported-files.ts'
import { pathOfWeights, pickWeights } from './local-weights.ts'

export interface HubReference {
  readonly repository: string
  readonly revision: string
  /** A GGUF file or an exported graph of the repository. */
  readonly file?: string
}

/** The model in the hub's cache, without the network; undefined when it is not there or a file is missing. */
export async function cachedHubModel(
  hub: Hub,
  reference: HubReference,
  exported?: ExportedChoice,
): Promise<{ path: string; commit: string } | undefined> {
  const snapshot = await hub.cached(reference.repository, { revision: reference.revision })
  if (snapshot === undefined) return undefined
  try {
    const chosen = chooser(reference, exported)(snapshot.files)
    const { path } = pathOfWeights(snapshot.folder, chosen)
    // Other tools fetch file by file: weights without a configuration are half a model.
    const isWhole = path.endsWith('.gguf') || chosen.some((file) => file.path === 'config.json')
    return isWhole ? { path, commit: snapshot.commit } : undefined
  } catch {
    return undefined
  }
}

/** @throws what `hub.download` throws */
export async function downloadHubModel(
  hub: Hub,
  reference: HubReference,
  options: {
    readonly signal?: AbortSignal | undefined
    readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
    readonly exported?: ExportedChoice | undefined
  },
): Promise<string> {
  const { repository, revision } = reference
  const { signal, onProgress } = options
  let chosen: readonly { readonly path: string }[] = []
  const choose = chooser(reference, options.exported)
  const folder = await hub.download(repository, {
    revision,
    ...(signal && { signal }),
    pick: (files) => {
      const picked = choose(files)
      chosen = picked
      return picked
    },
    ...(onProgress && { onProgress }),
  })
  return pathOfWeights(folder, chosen).path
}

function chooser({ repository, file }: HubReference, exported: ExportedChoice | undefined) {
  const prefer: WeightPreference = file === undefined ? { kind: 'safetensors' } : { kind: 'gguf', name: file }
  return <File extends { readonly path: string }>(files: readonly File[]): readonly File[] => {
    if (file === undefined || !file.endsWith('.onnx')) return pickWeights(files, { prefer, repository }, exported)
    if (files.some(({ path }) => path === file)) return exportedFiles(files, file)
    throw new RepositoryError({ repository, file, found: 'no such file', expected: 'an exported graph of the repository' })
  }
}
