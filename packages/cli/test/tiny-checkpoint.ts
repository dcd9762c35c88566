/**
 * The tiny Llama of the `models` package (see the README of its fixtures) with a tokenizer: 256 tokens, one for each byte, of which
 * three are control tokens, and a chat template.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from './model-search/temporary-folder.ts'

export const LLAMA: string = fileURLToPath(new URL('../../models/test/fixtures/checkpoints/llama', import.meta.url))

const CONTROL_TOKENS = ['<pad>', '<s>', '</s>']

const CHAT_TEMPLATE =
  "{% for message in messages %}<s>{{ message['role'] }}:{{ message['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant:{% endif %}"

/**
 * A folder with the checkpoint, and an empty one for its caches, which go away with the test.
 *
 * @param options  `positions`: longest context
 */
export async function tinyCheckpoint({
  hasTemplate = true,
  positions = 256,
} = {}): Promise<AsyncDisposable & { readonly path: string; readonly cache: string }> {
  const tokenizerConfig = { bos_token: '<s>', eos_token: '</s>', ...(hasTemplate ? { chat_template: CHAT_TEMPLATE } : {}) }
  const config = JSON.parse(await readFile(join(LLAMA, 'config.json'), 'utf8'))
  const folder = await temporaryFolder({
    'model/config.json': JSON.stringify({ ...config, max_position_embeddings: positions }),
    'model/model.safetensors': await readFile(join(LLAMA, 'model.safetensors')),
    'model/tokenizer.json': JSON.stringify(byteTokenizer()),
    'model/tokenizer_config.json': JSON.stringify(tokenizerConfig),
  })
  return {
    path: join(folder.path, 'model'),
    cache: join(folder.path, 'cache'),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Byte-level BPE without merges: byte b is token b, but bytes 0 to 2, whose ids are the control tokens. */
function byteTokenizer() {
  const vocab = Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [CONTROL_TOKENS[byte] ?? characterOfByte(byte), byte]))
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: CONTROL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: { type: 'BPE', dropout: null, unk_token: null, byte_fallback: false, fuse_unk: false, vocab, merges: [] },
  }
}

/** GPT-2's alphabet: printable Latin-1 characters stand for themselves, the others follow from U+0100 in their order. */
function characterOfByte(byte: number): string {
  const isPrintable = (code: number) => (code >= 33 && code <= 126) || (code >= 161 && code <= 172) || code >= 174
  if (isPrintable(byte)) return String.fromCharCode(byte)
  let before = 0
  for (let code = 0; code < byte; code++) if (!isPrintable(code)) before += 1
  return String.fromCharCode(256 + before)
}
