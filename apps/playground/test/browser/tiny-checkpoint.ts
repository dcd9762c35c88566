/**
 * A model that speaks: the weights of the `llama` fixture (two layers, 256 tokens), with a tokenizer that has one token per byte. What it says
 * is noise. Its context is longer than the fixture's, so that an answer lasts until it is stopped.
 */
import { readFile } from 'node:fs/promises'

const FIXTURE = new URL('../../../../packages/models/test/fixtures/checkpoints/llama/', import.meta.url)
const END = 2

/** File contents by name. */
export async function tinyCheckpoint(): Promise<ReadonlyMap<string, Uint8Array>> {
  const config: unknown = JSON.parse(await readFile(new URL('config.json', FIXTURE), 'utf8'))
  const weights = await readFile(new URL('model.safetensors', FIXTURE))
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  return new Map([
    ['config.json', json({ ...Object(config), max_position_embeddings: 8192 })],
    ['model.safetensors', weights],
    ['tokenizer.json', json(byteTokenizer())],
    ['tokenizer_config.json', json({ eos_token: '<end>', chat_template: CHAT_TEMPLATE })],
  ])
}

const CHAT_TEMPLATE =
  "{% for m in messages %}{{ m.role + ': ' + m.content + '<end>' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"

function byteTokenizer(): object {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 1 && byte !== END)
  const special = (id: number, content: string) => ({
    id,
    content,
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  })
  return {
    added_tokens: [special(1, '<start>'), special(END, '<end>')],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(bytes.map((byte) => [byteCharacter(byte), byte])), merges: [] },
  }
}

/** The character that stands for a byte in byte-level vocabularies: itself where it can be printed, else one beyond Latin-1. */
function byteCharacter(byte: number): string {
  const isPrinted = (value: number) => (value >= 33 && value <= 126) || (value >= 161 && value <= 172) || value >= 174
  if (isPrinted(byte)) return String.fromCharCode(byte)
  const hidden = Array.from({ length: 256 }, (_, value) => value).filter((value) => !isPrinted(value))
  return String.fromCharCode(256 + hidden.indexOf(byte))
}
