/** An exported graph among files that are no folder on disk; its external data are files of the same set, beside it. */
import { type FileSet, readFileText } from '@foretoken/weights'
import type { TextFiles } from '../checkpoint/hugging-face-checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import type { GraphFile } from './graph-file.ts'

/** @param path  of the graph in the set */
export async function graphInFiles(files: FileSet, path: string): Promise<GraphFile> {
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const read = async (file: string): Promise<Uint8Array> => {
    await using source = await files.open(file)
    return await source.read(0, source.byteLength)
  }
  const pathOf = (location: string): string => {
    const beside = `${folder}${location.replace(/^\.\//, '')}`
    if (files.paths.includes(beside)) return beside
    throw new CheckpointError({ file: path, field: 'external data', found: `no file ${location}`, expected: 'it beside the graph' })
  }
  return {
    path: `${files.name}/${path}`,
    folder: files.name,
    bytes: await read(path),
    async checkExternal(locations) {
      let bytes = 0
      for (const location of locations) {
        await using source = await files.open(pathOf(location))
        bytes += source.byteLength
      }
      return bytes
    },
    readExternal: (locations) => Promise.all(locations.map(async (path) => ({ path, data: await read(pathOf(path)) }))),
  }
}

/** Texts of the model: repositories of the hub have their graphs one folder below them. */
export function textsOf(files: FileSet): TextFiles {
  return { name: files.name, read: (path) => readFileText(files, path), list: () => Promise.resolve(files.paths) }
}
