/**
 * An exported graph on this disk. A graph names the files of its weights, and a name may be a link: what it leads to has to lie beside
 * the graph, or the graph could hand any file of the machine to the runtime (CVE-2022-25882, CVE-2026-27489). "Beside" means in the
 * folder of the graph, or in the folder of what the graph itself is a link to: the hub's cache links both into one folder of blobs.
 */
import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { CheckpointError } from '../errors.ts'
import type { GraphFile } from '../exported/graph-file.ts'

/** One protobuf message ends there. */
const MOST_BYTES = 2 ** 31 - 1

/** @throws {CheckpointError} when the file is larger than an ONNX file can be */
export async function openGraphFile(path: string): Promise<GraphFile> {
  const { size } = await stat(path)
  if (size > MOST_BYTES) {
    throw new CheckpointError({ file: path, found: `${size} bytes`, expected: `at most ${MOST_BYTES}: larger models have external data` })
  }
  const beside = dirname(path)
  const folders = [await realpath(beside), dirname(await realpath(path))]

  async function locate(location: string): Promise<{ readonly real: string; readonly bytes: number }> {
    const real = await realpath(join(beside, location)).catch(() => undefined)
    const facts = real === undefined ? undefined : await stat(real)
    if (real === undefined || !facts?.isFile()) {
      throw new CheckpointError({ file: path, field: 'external data', found: `no file ${location}`, expected: 'it beside the graph' })
    }
    if (!folders.some((folder) => real.startsWith(`${folder}${sep}`))) {
      throw new CheckpointError({
        file: path,
        field: 'external data',
        found: `${location}, which leads to ${real}`,
        expected: `a file in ${folders[0]}`,
      })
    }
    return { real, bytes: facts.size }
  }

  return {
    path,
    folder: await modelFolder(beside),
    bytes: await readFile(path),
    async checkExternal(locations) {
      let bytes = 0
      for (const location of locations) bytes += (await locate(location)).bytes
      return bytes
    },
    readExternal: (locations) =>
      Promise.all(locations.map(async (location) => ({ path: location, data: await readFile((await locate(location)).real) }))),
  }
}

/** Repositories of the hub have their graphs one folder below their configuration. */
async function modelFolder(beside: string): Promise<string> {
  const has = (folder: string) =>
    stat(join(folder, 'config.json')).then(
      () => true,
      () => false,
    )
  if (await has(beside)) return beside
  const above = basename(beside) === '..' || beside === '.' ? join(beside, '..') : dirname(beside)
  return (await has(above)) ? above : beside
}
