/**
 * Which files of a repository make a model: configuration, tokenizer, chat template, and one set of weights. Repositories often hold the
 * same weights several times (safetensors, pickles, GGUF in ten sizes, exports), so all files would be many times too much.
 * Pickles (`.bin`, `.pt`) are never taken: reading one can run code that it contains.
 */
import { RepositoryError } from './errors.ts'

/** Which weights to take where a repository has several kinds. */
export type WeightPreference =
  | { readonly kind: 'safetensors' }
  /** `name` is the path of one file, or a part of its name such as `Q4_1`. Without it the first of `GGUF_ORDER` is taken. */
  | { readonly kind: 'gguf'; readonly name?: string }

export interface PickOptions {
  /** Default: safetensors, and GGUF where there are none. */
  readonly prefer?: WeightPreference
  /** For the error message. */
  readonly repository?: string
}

const COMPANIONS = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'tokenizer.model',
  'chat_template.jinja',
  'chat_template.json',
])

/** GGUF types from the one to try first: 8 bits lose nothing that our own 8-bit formats would keep; then 6 to 4 bits; then the large ones. */
export const GGUF_ORDER: readonly string[] = [
  'Q8_0',
  'Q6_K',
  'Q5_K',
  'Q5_1',
  'Q5_0',
  'Q4_1',
  'Q4_K',
  'Q4_0',
  'BF16',
  'F16',
  'F32',
  'Q3_K',
  'Q2_K',
]

const INDEX = 'model.safetensors.index.json'
const SHARD = /^(.+)-(\d{5})-of-(\d{5})\.(safetensors|gguf)$/
const PICKLE = /\.(?:bin|pt|pth|ckpt)$/

/**
 * The files of a model, small ones first, weights last.
 *
 * @throws {RepositoryError} when there are no weights that can be read, or a shard is missing
 */
export function pickModelFiles<File extends { readonly path: string }>(files: readonly File[], options: PickOptions = {}): File[] {
  const { prefer = { kind: 'safetensors' }, repository = 'the repository' } = options
  const companions = files.filter(({ path }) => COMPANIONS.has(path) || /^additional_chat_templates\/[^/]+\.jinja$/.test(path))
  if (prefer.kind === 'gguf') return [...companions, ...pickGguf(files, prefer.name, repository)]
  const safetensors = pickSafetensors(files, repository)
  if (safetensors.length > 0) return [...companions, ...safetensors]
  return [...companions, ...pickGguf(files, undefined, repository)]
}

function pickSafetensors<File extends { readonly path: string }>(files: readonly File[], repository: string): File[] {
  const single = files.find(({ path }) => path === 'model.safetensors')
  if (single !== undefined) return [single]
  const index = files.find(({ path }) => path === INDEX)
  if (index === undefined) return []
  const first = files.find(({ path }) => path.endsWith('.safetensors') && SHARD.exec(path)?.[1] === 'model')
  if (first !== undefined) return [index, ...allShards(files, first, repository)]
  throw new RepositoryError({
    repository,
    file: INDEX,
    found: 'no shard model-…-of-….safetensors',
    expected: 'the shards beside their index',
  })
}

function pickGguf<File extends { readonly path: string }>(files: readonly File[], name: string | undefined, repository: string): File[] {
  const all = files.filter(({ path }) => path.endsWith('.gguf') && !/(?:^|\/)mmproj|imatrix/i.test(path))
  const exact = files.find(({ path }) => path === name)
  if (exact !== undefined) return allShards(files, exact, repository)
  const wanted = name === undefined ? all : all.filter(({ path }) => path.toLowerCase().includes(name.toLowerCase()))
  const first = preferredGguf(wanted)
  if (first !== undefined) return allShards(files, first, repository)
  if (all.length > 0) throw new RepositoryError({ repository, found: `GGUF files ${listNames(all)}`, expected: `one named ${name}` })
  throw noWeights(files, repository)
}

function noWeights(files: readonly { readonly path: string }[], repository: string): RepositoryError {
  const expected = 'model.safetensors, its shards with their index, or a GGUF file'
  const pickles = files.filter(({ path }) => PICKLE.test(path))
  const others = files.filter(({ path }) => path.endsWith('.safetensors'))
  if (others.length > 0) return new RepositoryError({ repository, found: `other safetensors (${listNames(others)})`, expected })
  if (pickles.length === 0) return new RepositoryError({ repository, found: `no weights among ${files.length} files`, expected })
  return new RepositoryError({
    repository,
    found: `only pickled weights (${listNames(pickles)})`,
    expected: `${expected}; pickles can run code when they are read, so they never are: convert them to safetensors`,
  })
}

/** Of several GGUF files the one to take: by `GGUF_ORDER`, then by name. */
export function preferredGguf<File extends { readonly path: string }>(files: readonly File[]): File | undefined {
  const rank = (path: string) => {
    const found = GGUF_ORDER.findIndex((type) => path.toUpperCase().includes(type))
    return found < 0 ? GGUF_ORDER.length : found
  }
  return [...files].sort((a, b) => rank(a.path) - rank(b.path) || (a.path < b.path ? -1 : 1))[0]
}

/** A file that is one of several parts stands for all of them. */
function allShards<File extends { readonly path: string }>(files: readonly File[], one: File, repository: string): File[] {
  const match = SHARD.exec(one.path)
  if (match === null) return [one]
  const [, stem, , count, ending] = match
  const shards: File[] = []
  for (let number = 1; number <= Number(count); number++) {
    const path = `${stem}-${String(number).padStart(5, '0')}-of-${count}.${ending}`
    const shard = files.find((file) => file.path === path)
    if (shard === undefined) throw new RepositoryError({ repository, file: path, found: 'no such file', expected: `${count} shards` })
    shards.push(shard)
  }
  return shards
}

function listNames(files: readonly { readonly path: string }[]): string {
  const names = files.slice(0, 5).map(({ path }) => path)
  return files.length > 5 ? `${names.join(', ')} and ${files.length - 5} more` : names.join(', ')
}
