/** The source of a model in the form that is sent, and what moves with it. */
import { ArgumentError } from '@foretoken/tensor'
import { pathOfFileUrl } from '#platform'
import { UnsendableError } from './errors.ts'
import type { NamedFile, SentSource } from './messages/protocol.ts'
import { movable } from './messages/transfer.ts'
import type { ModelSource } from './model-source.ts'

interface SourceToSend {
  readonly source: SentSource
  readonly transfer: ArrayBuffer[]
}

const WEB_ADDRESS = /^https?:\/\//i

/** @throws {UnsendableError} for something else than `ModelSource` names */
export function sendSource(source: ModelSource): SourceToSend {
  if (typeof source === 'string') return WEB_ADDRESS.test(source) ? address(source) : reference(source)
  if (source instanceof URL) return sendUrl(source)
  const entries = entriesOf(source)
  if (entries.length === 0) throw refusal('no files')
  const files = new Map<string, NamedFile>()
  const transfer = new Set<ArrayBuffer>()
  for (const [name, data] of entries) {
    if (typeof name !== 'string') throw refusal('a file without a name')
    if (files.has(name)) throw new ArgumentError({ file: name, found: 'two files of this name', expected: 'the files of one model' })
    if (data instanceof Blob) files.set(name, { name, data })
    else if (data instanceof Uint8Array) {
      const moved = movable(data)
      files.set(name, { name, data: moved })
      transfer.add(moved.buffer)
    } else throw refusal(`${describe(data)} as ${name}`)
  }
  return { source: { kind: 'files', files: belowCommonFolder([...files.values()]) }, transfer: [...transfer] }
}

/** A folder that was chosen or dropped comes with its own name in front. */
function belowCommonFolder(files: readonly NamedFile[]): readonly NamedFile[] {
  const folders = files.map(({ name }) => name.slice(0, name.lastIndexOf('/') + 1))
  const [shortest = ''] = folders.toSorted((a, b) => a.length - b.length)
  const isCommon = folders.every((folder) => folder.startsWith(shortest))
  return isCommon ? files.map(({ name, data }) => ({ name: name.slice(shortest.length), data })) : files
}

function sendUrl(url: URL): SourceToSend {
  if (WEB_ADDRESS.test(url.href)) return address(url.href)
  const path = url.protocol === 'file:' ? pathOfFileUrl(url) : undefined
  if (path === undefined) throw refusal(`the address ${url.href.slice(0, 200)}`)
  return reference(path)
}

function entriesOf(source: Exclude<ModelSource, string | URL>): readonly (readonly [unknown, unknown])[] {
  if (source instanceof Map) return [...source]
  if (Array.isArray(source)) return source.map((file: unknown) => [file instanceof File ? pathOf(file) : undefined, file])
  if (source instanceof Blob) return [[source instanceof File && source.name !== '' ? source.name : 'model.gguf', source]]
  if (source instanceof Uint8Array) return [['model.gguf', source]]
  throw refusal(describe(source))
}

/** Of a file in a dropped folder, its place in it. */
function pathOf(file: File): string {
  return file.webkitRelativePath || file.name
}

function reference(text: string): SourceToSend {
  return { source: { kind: 'reference', reference: text }, transfer: [] }
}

function address(url: string): SourceToSend {
  return { source: { kind: 'address', url }, transfer: [] }
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? `an object of the class ${value.constructor?.name}` : `a ${typeof value}`
}

function refusal(found: string): UnsendableError {
  const expected = 'a path, a repository of the hub, an https: address, a file, bytes, or several files by name'
  return new UnsendableError({ field: 'source', found, expected })
}
