/** Without files: a checkpoint's texts come with it, and converted weights stay in memory. */
import type { EncodedModel } from '@foretoken/graph'
import { CheckpointError } from '../errors.ts'
import type { ExportedChoice } from '../exported/exported-files.ts'
import type { GraphFile } from '../exported/graph-file.ts'
import type { HubAccess } from '../hub-access.ts'
import { type StoredModel, type StoreOptions, storeInMemory } from '../stored-model.ts'

export function readFolderText(_folder: string, _file: string): Promise<string | undefined> {
  return Promise.resolve(undefined)
}

export function namesInFolder(_folder: string): Promise<readonly string[]> {
  return Promise.resolve([])
}

/** Without files a source is taken as it is; opening it says what is possible. */
export function locateWeights(source: string, _options: HubAccess & { readonly exported?: ExportedChoice | undefined }): Promise<string> {
  return Promise.resolve(source)
}

export function openGraphFile(path: string): Promise<GraphFile> {
  return Promise.reject(new CheckpointError({ file: path, found: 'a path', expected: 'Node, which has files, for an exported graph' }))
}

export function fingerprintOf(path: string): Promise<string> {
  return Promise.resolve(path)
}

/** A page does not learn what processor it runs on. */
export function describeProcessor(): Promise<string | undefined> {
  return Promise.resolve(undefined)
}

export function storeModel(model: EncodedModel, options: StoreOptions): Promise<StoredModel> {
  return storeInMemory(model, options)
}
