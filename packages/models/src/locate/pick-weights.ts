/** Which files of a folder, a repository or a set that a user chose make the model, and which of them to open. */
import { type PickOptions, pickModelFiles, RepositoryError, type WeightPreference } from '@foretoken/weights/hub'
import { type ExportedChoice, exportedFiles, pickExportedGraph } from '../exported/exported-files.ts'

export interface HubReference {
  readonly repository: string
  readonly revision: string
  /** A GGUF file or an exported graph of the repository. */
  readonly file?: string
}

/**
 * The files of a model, weights last: an exported graph where one is asked for or nothing else is there, else what `pickModelFiles` takes.
 *
 * @throws {RepositoryError} when there are no weights that can be read, or no graph of the variant that is asked for
 */
export function pickWeights<File extends { readonly path: string }>(
  files: readonly File[],
  options: PickOptions,
  exported: ExportedChoice | undefined,
): readonly File[] {
  const paths = files.map(({ path }) => path)
  const graph = pickExportedGraph(paths, exported)
  if (exported !== undefined) {
    if (graph !== undefined) return exportedFiles(files, graph)
    const found = paths.filter((path) => path.endsWith('.onnx'))
    throw new RepositoryError({
      repository: options.repository ?? 'the folder',
      found: found.length === 0 ? 'no exported graph' : `the graphs ${found.join(', ')}`,
      expected: exported.variant === undefined ? 'onnx/model.onnx or a variant of it' : `one of the variant ${exported.variant}`,
    })
  }
  try {
    return pickModelFiles(files, options)
  } catch (error) {
    if (graph === undefined) throw error
    return exportedFiles(files, graph)
  }
}

/** Of files that were chosen the GGUF (its first part) or the exported graph; undefined where they are opened as a folder. */
export function fileToOpen(chosen: readonly { readonly path: string }[]): string | undefined {
  return chosen.find(({ path }) => /\.(?:gguf|onnx)$/.test(path))?.path
}

/** Other tools fetch file by file: weights without a configuration are half a model. */
export function isWholeModel(chosen: readonly { readonly path: string }[]): boolean {
  return fileToOpen(chosen)?.endsWith('.gguf') === true || chosen.some(({ path }) => path === 'config.json')
}

/** Chooses from the files of a repository what a reference to it means. */
export function chooser({ repository, file }: HubReference, exported: ExportedChoice | undefined) {
  const prefer: WeightPreference = file === undefined ? { kind: 'safetensors' } : { kind: 'gguf', name: file }
  return <File extends { readonly path: string }>(files: readonly File[]): readonly File[] => {
    if (file === undefined || !file.endsWith('.onnx')) return pickWeights(files, { prefer, repository }, exported)
    if (files.some(({ path }) => path === file)) return exportedFiles(files, file)
    throw new RepositoryError({ repository, file, found: 'no such file', expected: 'an exported graph of the repository' })
  }
}
