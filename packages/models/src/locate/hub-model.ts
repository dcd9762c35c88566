/** A model of the hub in a folder on this disk: from the cache when it is there whole, else downloaded. */
import type { DownloadProgress, Hub } from '@foretoken/weights/hub'
import type { ExportedChoice } from '../exported/exported-files.ts'
import { pathOfWeights } from './local-weights.ts'
import { chooser, type HubReference, isWholeModel } from './pick-weights.ts'

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
    return isWholeModel(chosen) ? { ...pathOfWeights(snapshot.folder, chosen), commit: snapshot.commit } : undefined
  } catch {
    return undefined
  }
}

export interface HubModelOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  readonly exported?: ExportedChoice | undefined
}

/** @throws what `hub.download` throws */
export async function downloadHubModel(hub: Hub, reference: HubReference, options: HubModelOptions): Promise<string> {
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
