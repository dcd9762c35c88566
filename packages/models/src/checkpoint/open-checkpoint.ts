/** Opens a checkpoint on disk by what it is: a folder as Hugging Face lays it out, or a GGUF file. */
import { openWeights } from '@foretoken/weights'
import { fingerprintOf, namesInFolder, readFolderText } from '#platform'
import type { Checkpoint } from './checkpoint.ts'
import { ggufCheckpoint } from './gguf-checkpoint.ts'
import { huggingFaceCheckpoint } from './hugging-face-checkpoint.ts'

/** @param path  a folder, or a .gguf file (the first of a split one) */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const store = await openWeights(path)
  const fingerprint = await fingerprintOf(path)
  const checkpoint =
    store.format === 'gguf'
      ? await ggufCheckpoint(store, path)
      : await huggingFaceCheckpoint(store, {
          name: path,
          read: (file) => readFolderText(path, file),
          list: () => namesInFolder(path),
        })
  return { ...checkpoint, fingerprint }
}
