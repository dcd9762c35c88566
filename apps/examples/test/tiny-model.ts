/** A checkpoint of the models package with a tokenizer of its own, in which token 7 is the word `t7`; and the reference's greedy continuation of a prompt. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FIXTURE = join(import.meta.dirname, '..', '..', '..', 'packages', 'models', 'test', 'fixtures', 'checkpoints', 'llama')
/** The checkpoint's end of text, at which a continuation stops. */
const END_OF_TEXT = 2

export interface TinyModel extends Disposable {
  readonly folder: string
  readonly files: readonly string[]
  readonly prompt: string
  /** Words of the continuation. */
  readonly continuation: readonly string[]
}

export function tinyModel(): TinyModel {
  const expected: { readonly greedy: { readonly prompt: readonly number[]; readonly ids: readonly number[] } } = JSON.parse(
    readFileSync(join(FIXTURE, 'expected.json'), 'utf8'),
  )
  const { prompt, ids } = expected.greedy
  const folder = join(mkdtempSync(join(tmpdir(), 'examples-')), 'tiny-llama')
  mkdirSync(folder)
  for (const name of ['config.json', 'model.safetensors']) writeFileSync(join(folder, name), readFileSync(join(FIXTURE, name)))
  const vocab = Object.fromEntries(Array.from({ length: 256 }, (_, id) => [`t${id}`, id]))
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: 't0' },
  }
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
  const end = ids.indexOf(END_OF_TEXT)
  return {
    folder,
    files: ['config.json', 'model.safetensors', 'tokenizer.json'].map((name) => join(folder, name)),
    prompt: prompt.map((id) => `t${id}`).join(' '),
    continuation: ids.slice(0, end < 0 ? ids.length : end).map((id) => `t${id}`),
    [Symbol.dispose]: () => rmSync(join(folder, '..'), { recursive: true, force: true }),
  }
}
