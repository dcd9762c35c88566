/** What was sent, as `loadCausalLM` takes it. */
import { type Checkpoint, ggufCheckpoint, huggingFaceCheckpoint } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { type ByteSource, blobSource, bytesSource, httpSource, openGguf, openSafetensors, readShardIndex } from '@foretoken/weights'
import type { NamedFile, SentSource } from '../messages/protocol.ts'

const INDEX = 'model.safetensors.index.json'

export async function openSource(source: SentSource, signal: AbortSignal): Promise<string | Checkpoint> {
  if (source.kind === 'reference') return source.reference
  if (source.kind === 'address') {
    const file = await httpSource(source.url, { signal })
    return ggufCheckpoint(await openGguf(file, { signal }), file.name)
  }
  return openFiles(source.files, signal)
}

async function openFiles(files: readonly NamedFile[], signal: AbortSignal): Promise<Checkpoint> {
  const byName = new Map<string, NamedFile>()
  for (const { name, data } of files) {
    const short = name.slice(name.lastIndexOf('/') + 1)
    if (byName.has(short)) throw new ArgumentError({ field: 'source', found: `two files of the name ${short}`, expected: 'one of each' })
    byName.set(short, { name: short, data })
  }
  const [only] = byName.values()
  const exported = [...byName.keys()].find((name) => name.endsWith('.onnx'))
  if (exported !== undefined) {
    throw new ArgumentError({ field: 'source', found: `${exported}, a graph that was exported`, expected: 'weights: safetensors or GGUF' })
  }
  const gguf = [...byName.values()].filter(({ name }) => name.endsWith('.gguf'))
  if (gguf.length > 0 || (byName.size === 1 && only !== undefined && !only.name.endsWith('.safetensors') && only.name !== 'config.json')) {
    const parts = (gguf.length > 0 ? gguf : [...byName.values()]).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    return ggufCheckpoint(await openGguf(parts.map(sourceOf), { signal }), parts[0]?.name ?? 'model')
  }
  return openFolder(byName, signal)
}

/** The files of a folder of Hugging Face. */
async function openFolder(files: ReadonlyMap<string, NamedFile>, signal: AbortSignal): Promise<Checkpoint> {
  const weights = [...files.values()].filter(({ name }) => name.endsWith('.safetensors'))
  if (weights.length === 0) {
    const found = files.size === 0 ? 'no files' : [...files.keys()].slice(0, 10).join(', ')
    throw new ArgumentError({ field: 'source', found, expected: 'a .gguf file, or config.json with .safetensors files' })
  }
  const indexFile = files.get(INDEX)
  const index = indexFile === undefined ? undefined : await readShardIndex(sourceOf(indexFile), { signal })
  const wanted = index === undefined ? weights : index.files.map((name) => files.get(name) ?? missing(name))
  const store = await openSafetensors(wanted.map(sourceOf), { signal, ...(index === undefined ? {} : { index }) })
  return huggingFaceCheckpoint(store, {
    name: 'the files that were given',
    read: (name) => readText(files.get(name)),
    list: () => Promise.resolve([...files.keys()].sort()),
  })
}

function missing(name: string): never {
  throw new ArgumentError({ field: 'source', found: `no file ${name}, which ${INDEX} names`, expected: 'all files of the model' })
}

function sourceOf({ name, data }: NamedFile): ByteSource {
  return data instanceof Blob ? blobSource(data, name) : bytesSource(data, name)
}

async function readText(file: NamedFile | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  return file.data instanceof Blob ? await file.data.text() : new TextDecoder().decode(file.data)
}
