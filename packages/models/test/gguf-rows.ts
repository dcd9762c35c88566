/** What llama.cpp's conversion does to names and rows, written a second time for the tests, after its conversion scripts. */
import type { NumericTensor } from './checkpoint-copies.ts'

/** Names of Hugging Face's parts of a layer against llama.cpp's. */
export type PartNames = Readonly<Record<string, string>>

export const COMMON_PARTS: PartNames = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
}

const WHOLE: PartNames = { 'model.embed_tokens': 'token_embd', 'model.norm': 'output_norm', lm_head: 'output' }

/** @throws {Error} when the name is not among those given, so that a test does not leave one out by mistake */
export function ggufName(name: string, parts: PartNames): string {
  const dot = name.lastIndexOf('.')
  const whole = WHOLE[name.slice(0, dot)]
  if (whole !== undefined) return `${whole}${name.slice(dot)}`
  const [, layer, part = '', kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? []
  const found = parts[part]
  if (found === undefined) throw new Error(`the test has no name for ${name}`)
  return `blk.${layer}.${found}.${kind}`
}

/** Rows of each head from two halves to neighbours: (head, half, pair) becomes (head, pair, half). */
export function permutedRows({ shape, data }: NumericTensor, heads: number): NumericTensor {
  const [rows = 0] = shape
  const width = data.length / rows
  const pairs = rows / heads / 2
  const out = new Float32Array(data.length)
  for (let head = 0; head < heads; head++) {
    for (let half = 0; half < 2; half++) {
      for (let pair = 0; pair < pairs; pair++) {
        const from = (head * 2 + half) * pairs + pair
        const to = (head * pairs + pair) * 2 + half
        out.set(data.subarray(from * width, (from + 1) * width), to * width)
      }
    }
  }
  return { shape, data: out }
}
