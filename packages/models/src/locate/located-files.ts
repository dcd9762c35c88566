/** Models that are sets of files rather than paths: what a user chose, or a repository that a page has fetched. */
import type { FileSet } from '@foretoken/weights'
import { type Hub, RepositoryError } from '@foretoken/weights/hub'
import type { ExportedChoice } from '../exported/exported-files.ts'
import type { HubModelOptions } from './hub-model.ts'
import { chooser, fileToOpen, type HubReference, isWholeModel, pickWeights } from './pick-weights.ts'

export interface LocatedFiles {
  readonly files: FileSet
  /** The GGUF (its first part) or the exported graph; absent where the set is opened as a folder. */
  readonly path?: string
}

/** Where a source leads. */
export type Located = { readonly path: string } | { readonly located: LocatedFiles }

/**
 * @throws {RepositoryError} when there are no weights that can be read among the files, or no graph of the variant that is asked for
 */
export function locateAmong(files: FileSet, exported: ExportedChoice | undefined): LocatedFiles {
  const all = files.paths.map((path) => ({ path }))
  // files are given by name: a GGUF beside safetensors is a second model
  const chosen = pickWeights(all, { prefer: { kind: 'safetensors' }, repository: files.name }, exported)
  return located(files, chosen)
}

/**
 * A model of the hub, from the cache when it is there whole, else downloaded.
 *
 * @throws what `hub.files` throws
 */
export async function locateOnHub(hub: Hub, reference: HubReference, options: HubModelOptions): Promise<LocatedFiles> {
  const { repository, revision } = reference
  const { signal, onProgress, exported } = options
  const pick = chooser(reference, exported)
  const cached = await cachedFiles(hub, repository, revision, pick)
  if (cached !== undefined) return located(cached, asFiles(cached))
  const files = await hub.files(repository, { revision, pick, ...(signal && { signal }), ...(onProgress && { onProgress }) })
  return located(files, asFiles(files))
}

/** The choice of a whole model from the cache; what is there may be less, and then the hub is asked. */
async function cachedFiles(hub: Hub, repository: string, revision: string, pick: ReturnType<typeof chooser>): Promise<FileSet | undefined> {
  try {
    const files = await hub.cachedFiles(repository, { revision, pick })
    return files !== undefined && isWholeModel(asFiles(files)) ? files : undefined
  } catch (error) {
    if (error instanceof RepositoryError) return undefined
    throw error
  }
}

function asFiles({ paths }: FileSet): { readonly path: string }[] {
  return paths.map((path) => ({ path }))
}

function located(files: FileSet, chosen: readonly { readonly path: string }[]): LocatedFiles {
  const path = fileToOpen(chosen)
  return path === undefined ? { files } : { files, path }
}
