/** Tokenizers and what the reference says about texts: the small ones in Node and in a page, those of real models in Node. */

/** One text and what the reference says about it. */
export interface TokenizerCase {
  readonly name: string
  readonly text: string
  /** Without special tokens added. */
  readonly ids: number[]
  /** With them, where they differ. */
  readonly idsWithSpecial?: number[]
  readonly tokens?: string[]
  readonly decoded: string
  readonly decodedSkipSpecial?: string
}

export interface TokenizerFixture {
  readonly json: unknown
  readonly expected: { readonly model: string; readonly vocabularySize: number; readonly cases: readonly TokenizerCase[] }
}

/** Small tokenizers of every model type, in this package. */
export const SMALL_FIXTURES = [
  'trained-bpe-bytes',
  'trained-spm-bpe-bytes',
  'trained-spm-unigram',
  'trained-spm-unigram-bytes',
  'trained-unigram',
  'trained-wordpiece',
]

/** Tokenizers of real models, in the shared fixtures. */
export const LARGE_FIXTURES = ['bert-uncased', 'gpt-oss', 'gpt2', 'mistral-tekken', 'mistral-v3', 'qwen3', 'smollm2']

/** Reads a text below a folder, packed or not; undefined in a page. */
const readFile = await fileReader()

export const fixturesFolder = readFile === undefined ? undefined : process.env.FORETOKEN_FIXTURES || undefined

const small = new Map<string, TokenizerFixture>()
for (const name of SMALL_FIXTURES) small.set(name, await readSmall(name))

export function readTokenizerFixture(name: string): TokenizerFixture {
  const known = small.get(name)
  if (known !== undefined) return known
  const read = (file: string) => JSON.parse(readFile?.(`${fixturesFolder}/tokenizers/${name}/${file}`) ?? 'null')
  return { json: read('tokenizer.json'), expected: read('expected.json') }
}

async function readSmall(name: string): Promise<TokenizerFixture> {
  // in a variable, or the server of the tests would take the path for an import
  const here = import.meta.url
  const read = async (file: string) => {
    const url = new URL(`fixtures/tokenizers/${name}/${file}`, here)
    return JSON.parse(readFile === undefined ? await fetchText(url) : readFile(decodeURIComponent(url.pathname)))
  }
  return { json: await read('tokenizer.json'), expected: await read('expected.json') }
}

async function fetchText(url: URL): Promise<string> {
  const packed = await fetch(`${url}.gz`)
  const response = packed.ok ? packed : await fetch(url)
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  return isPacked
    ? await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text()
    : new TextDecoder().decode(bytes)
}

async function fileReader(): Promise<((path: string) => string) | undefined> {
  if (!import.meta.url.startsWith('file:')) return undefined
  const { existsSync, readFileSync } = await import('node:fs')
  const { gunzipSync } = await import('node:zlib')
  return (path) => (existsSync(path) ? readFileSync(path, 'utf8') : gunzipSync(readFileSync(`${path}.gz`)).toString('utf8'))
}
