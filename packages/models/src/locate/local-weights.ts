/** Models on this disk: whether a path holds weights, and which file of a folder to open. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ForetokenError } from '@foretoken/tensor'
import { preferredGguf } from '@foretoken/weights/hub'
import type { ExportedChoice } from '../exported/exported-files.ts'
import { fileToOpen, pickWeights } from './pick-weights.ts'

export type LocalWeights = { readonly path: string } | { readonly reason: string }

/**
 * The weights at a path that a user gave: a folder, a GGUF file, an exported graph, or a safetensors file (which stands for its folder).
 *
 * @param exported  given when an exported graph is wanted although a folder has other weights
 */
export async function weightsAt(path: string, exported?: ExportedChoice): Promise<LocalWeights> {
  const facts = await stat(path).catch(() => undefined)
  if (facts === undefined) return { reason: 'nothing is there' }
  if (facts.isDirectory()) return weightsInFolder(path, exported)
  if (/\.(?:gguf|onnx)$/i.test(path)) return { path }
  if (/\.safetensors(?:\.index\.json)?$/i.test(path)) return { path: dirname(path) }
  if (/\.(?:bin|pt|pth|ckpt|pkl)$/i.test(path))
    return { reason: 'pickled weights can run code when they are read, so they never are: convert them to safetensors' }
  return { reason: 'neither a folder nor a .gguf, .safetensors or .onnx file' }
}

/** A folder with safetensors is opened as a folder; one with GGUF files only by the file. */
async function weightsInFolder(folder: string, exported: ExportedChoice | undefined): Promise<LocalWeights> {
  try {
    const names = [...(await readdir(folder)), ...(await readdir(join(folder, 'onnx')).catch(() => [])).map((name) => `onnx/${name}`)]
    const files = names.map((path) => ({ path }))
    return pathOfWeights(folder, pickWeights(files, { prefer: { kind: 'safetensors' }, repository: folder }, exported))
  } catch (error) {
    return { reason: error instanceof ForetokenError ? `${error.found}, expected ${error.expected}` : String(error) }
  }
}

/** What to open of files that were chosen: the first GGUF or exported graph, or the folder. */
export function pathOfWeights(folder: string, chosen: readonly { readonly path: string }[]): { readonly path: string } {
  const file = fileToOpen(chosen)
  return { path: file === undefined ? folder : join(folder, file) }
}

/**
 * Looks for a model by the beginning of its name in one folder: `<stem>*.gguf`, a folder of that name, or the folder itself.
 * A folder of that name that holds a tokenizer and no weights is passed over.
 */
export async function findByStem(folder: string, stem: string): Promise<LocalWeights> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return { reason: 'no such folder' }
  const matching = entries.filter(({ name }) => name.toLowerCase().startsWith(stem))
  const gguf = preferredGguf(matching.filter(({ name }) => /\.gguf$/i.test(name)).map(({ name }) => ({ path: name })))
  if (gguf !== undefined) return { path: join(folder, gguf.path) }
  const named = matching.filter(({ name }) => name.toLowerCase() === stem).map(({ name }) => join(folder, name))
  if (basename(folder).toLowerCase() === stem) named.push(folder)
  let reason = `no ${stem}*.gguf and no folder ${stem}`
  for (const candidate of named) {
    const found = await weightsAt(candidate)
    if ('path' in found) return found
    reason = `${candidate}: ${found.reason}`
  }
  return { reason }
}
