/** In a page: models come from the hub or from chosen files, and what is kept lies in files of the origin. */
import { openHub } from '@foretoken/weights/hub'
import { CheckpointError } from '../errors.ts'
import type { ExportedChoice } from '../exported/exported-files.ts'
import type { GraphFile } from '../exported/graph-file.ts'
import type { HubAccess } from '../hub-access.ts'
import { type Located, locateOnHub } from '../locate/located-files.ts'
import { readModelReference } from '../locate/model-reference.ts'

export { removeEntry, storedEntries, storeModel } from './origin-models.ts'

/** In the files of the origin. */
const HUB_FOLDER = 'foretoken/hub'

export function readFolderText(_folder: string, _file: string): Promise<string | undefined> {
  return Promise.resolve(undefined)
}

export function namesInFolder(_folder: string): Promise<readonly string[]> {
  return Promise.resolve([])
}

/**
 * The files of a repository of the hub: those that are stored, else downloaded. (In Node a source may also be a path.)
 *
 * @throws {CheckpointError} when the source is no repository, and what `hub.files` throws
 */
export async function locateWeights(
  source: string,
  options: HubAccess & { readonly exported?: ExportedChoice | undefined },
): Promise<Located> {
  const reference = readModelReference(source, false)
  if (reference.kind === 'path') {
    const expected = 'a repository of the hub (organisation/name[@revision][/file.gguf]), or files that the user chose'
    throw new CheckpointError({ file: source, found: 'a path, and a page has none', expected })
  }
  const { cacheFolder = HUB_FOLDER, signal, onProgress, exported, ...access } = options
  return { located: await locateOnHub(openHub({ cacheFolder, ...access }), reference, { signal, onProgress, exported }) }
}

export function openGraphFile(path: string): Promise<GraphFile> {
  return Promise.reject(new CheckpointError({ file: path, found: 'a path', expected: 'Node, which has files, for an exported graph' }))
}

export function fingerprintOf(path: string): Promise<string> {
  return Promise.resolve(path)
}

/** A page does not learn what processor it runs on; what it keeps stays in this browser, on this machine. */
export function describeProcessor(): Promise<string | undefined> {
  return Promise.resolve(`${navigator.userAgent}, ${navigator.hardwareConcurrency} processors`)
}
