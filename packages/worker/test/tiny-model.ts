/**
 * A small Llama with a known vocabulary, built in memory so that no test needs a file: 256 tokens, one for each byte, of which three are control
 * tokens, and weights drawn from a seed. Untrained, so what it says is noise; that the noise is the same on both sides of a worker is the claim.
 */
import { randomStream } from '@foretoken/tensor'
import { type TensorToWrite, writeSafetensors } from '@foretoken/weights'

const CONTROL_TOKENS = ['<pad>', '<s>', '</s>']
const CHAT_TEMPLATE =
  "{% for message in messages %}<s>{{ message['role'] }}:{{ message['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant:{% endif %}"

export interface TinyModelOptions {
  readonly seed?: number
  readonly layers?: number
  readonly hasTokenizer?: boolean
}

/** The files of a folder, by name; new arrays with each call, because loading in a worker moves them. */
export function tinyModel({ seed = 1, layers = 2, hasTokenizer = true }: TinyModelOptions = {}): Map<string, Uint8Array<ArrayBuffer>> {
  const [hidden, inner, heads, kvHeads, vocab] = [64, 128, 4, 2, 256]
  const kvWidth = (hidden / heads) * kvHeads
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocab,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    max_position_embeddings: 2048,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    bos_token_id: 1,
    eos_token_id: 2,
  }
  let position = 0
  const matrix = (name: string, rows: number, columns: number) => {
    const random = randomStream({ seed, position: position++ })
    return floats(name, [rows, columns], (index) => (random.uniform(index) - 0.5) * 0.6)
  }
  const norm = (name: string) => floats(name, [hidden], () => 1)
  const tensors = [matrix('model.embed_tokens.weight', vocab, hidden), norm('model.norm.weight'), matrix('lm_head.weight', vocab, hidden)]
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`
    tensors.push(
      matrix(`${at}.self_attn.q_proj.weight`, hidden, hidden),
      matrix(`${at}.self_attn.k_proj.weight`, kvWidth, hidden),
      matrix(`${at}.self_attn.v_proj.weight`, kvWidth, hidden),
      matrix(`${at}.self_attn.o_proj.weight`, hidden, hidden),
      matrix(`${at}.mlp.gate_proj.weight`, inner, hidden),
      matrix(`${at}.mlp.up_proj.weight`, inner, hidden),
      matrix(`${at}.mlp.down_proj.weight`, hidden, inner),
      norm(`${at}.input_layernorm.weight`),
      norm(`${at}.post_attention_layernorm.weight`),
    )
  }
  const files = new Map([
    ['config.json', json(config)],
    ['model.safetensors', joined(writeSafetensors(tensors))],
  ])
  if (!hasTokenizer) return files
  files.set('tokenizer.json', json(byteTokenizer()))
  files.set('tokenizer_config.json', json({ bos_token: '<s>', eos_token: '</s>', chat_template: CHAT_TEMPLATE }))
  return files
}

function floats(name: string, shape: readonly number[], element: (index: number) => number): TensorToWrite {
  const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) => element(index))
  return { name, encoding: 'F32', shape, bytes: new Uint8Array(data.buffer) }
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value))
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}

/** Byte-level BPE without merges: byte b is token b, but bytes 0 to 2, whose ids are the control tokens. */
function byteTokenizer() {
  const vocab = Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [CONTROL_TOKENS[byte] ?? characterOfByte(byte), byte]))
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: CONTROL_TOKENS.map((content, id) => ({ id, content, ...special })),
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
