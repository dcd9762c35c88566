/** Opens a checkpoint by what it is: a folder as Hugging Face lays it out, or a GGUF file. */
import { type FileSet, openWeightFiles, openWeights, readFileText, type WeightStore } from '@foretoken/weights'
import { fingerprintOf, namesInFolder, readFolderText } from '#platform'
import type { Checkpoint } from './checkpoint.ts'
import { ggufCheckpoint } from './gguf-checkpoint.ts'
import { huggingFaceCheckpoint, type TextFiles } from './hugging-face-checkpoint.ts'

/** @param path  a folder, or a .gguf file (the first of a split one) */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const store = await openWeights(path)
  const fingerprint = await fingerprintOf(path)
  const checkpoint = await openStore(store, {
    name: path,
    read: (file) => readFolderText(path, file),
    list: () => namesInFolder(path),
  })
  return { ...checkpoint, fingerprint, path }
}

/**
 * Opens a checkpoint among files that are no folder on disk: what a user chose, or what a page has fetched.
 *
 * @param path  the .gguf file (the first of a split one); the set is opened as a folder when absent
 */
export async function openCheckpointFiles(files: FileSet, path?: string): Promise<Checkpoint> {
  const store = await openWeightFiles(files, path === undefined ? {} : { path })
  const checkpoint = await openStore(store, {
    name: files.name,
    read: (file) => readFileText(files, file),
    list: () => Promise.resolve(files.paths),
  })
  return files.fingerprint === undefined ? checkpoint : { ...checkpoint, fingerprint: files.fingerprint }
}

function openStore(store: WeightStore, texts: TextFiles): Promise<Checkpoint> {
  return store.format === 'gguf' ? ggufCheckpoint(store, texts.name) : huggingFaceCheckpoint(store, texts)
}
