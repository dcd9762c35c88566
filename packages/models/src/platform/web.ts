/** Without files: a checkpoint's texts come with it, and converted weights stay in memory. */
import type { EncodedModel } from '@foretoken/graph'
import type { HubAccess } from '../hub-access.ts'
import { type StoredModel, type StoreOptions, storeInMemory } from '../stored-model.ts'

export function readFolderText(_folder: string, _file: string): Promise<string | undefined> {
  return Promise.resolve(undefined)
}

export function namesInFolder(_folder: string): Promise<readonly string[]> {
  return Promise.resolve([])
}

/** Without files a source is taken as it is; opening it says what is possible. */
export function locateWeights(source: string, _options: HubAccess): Promise<string> {
  return Promise.resolve(source)
}

export function fingerprintOf(path: string): Promise<string> {
  return Promise.resolve(path)
}

export function storeModel(model: EncodedModel, options: StoreOptions): Promise<StoredModel> {
  return storeInMemory(model, options)
}
