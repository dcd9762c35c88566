import { expect, test } from 'vitest'
import { checkpointOf, fixtureParts, ggufOf, logitsOf, type PlainTensor, withRows } from '../checkpoint-variants.ts'
import { expectStoredBlocks } from '../stored-blocks.ts'

test('published files, with names without prefix and sizes by other names, give the same logits', async () => {
  const { config, tensors, tokens } = await fixtureParts('bloom')
  const { hidden_size, n_head, ...rest } = config
  const published = { ...rest, n_embed: hidden_size, num_attention_heads: n_head, n_inner: null, offset_alibi: 100, seq_length: 2048 }
  const short = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) short.set(name.replace(/^transformer\./, ''), tensor)
  expect(await logitsOf(await checkpointOf(published, short), tokens)).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

interface Sizes {
  readonly heads: number
  readonly hidden: number
}

/** The tensors as llama.cpp writes them: rows of a head are its query, key, value; it puts the queries of all heads first. */
function ggufTensors(tensors: ReadonlyMap<string, PlainTensor>, { heads, hidden }: Sizes, encoding?: 'Q8_0'): Map<string, PlainTensor> {
  const parts = [
    ['word_embeddings', 'token_embd'],
    ['word_embeddings_layernorm', 'token_embd_norm'],
    ['ln_f', 'output_norm'],
    ['input_layernorm', 'attn_norm'],
    ['query_key_value', 'attn_qkv'],
    ['self_attention.dense', 'attn_output'],
    ['post_attention_layernorm', 'ffn_norm'],
    ['dense_h_to_4h', 'ffn_up'],
    ['dense_4h_to_h', 'ffn_down'],
  ] as const
  const width = hidden / heads
  const separated = [0, 1, 2].flatMap((part) =>
    Array.from({ length: hidden }, (_, row) => (3 * Math.floor(row / width) + part) * width + (row % width)),
  )
  const stored = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) {
    const layer = /\.h\.(\d+)\./.exec(name)?.[1]
    const [, part] = parts.find(([each]) => name.includes(`.${each}.`)) ?? []
    const to = `${layer === undefined ? '' : `blk.${layer}.`}${part}${name.slice(name.lastIndexOf('.'))}`
    const ordered = part === 'attn_qkv' ? withRows(tensor, separated) : tensor
    stored.set(to, encoding !== undefined && /(query_key_value|dense\w*)\.weight$/.test(name) ? { ...ordered, encoding } : ordered)
  }
  return stored
}

const ggufSizes = ({ heads, hidden }: Sizes) => ({
  context_length: 2048,
  embedding_length: hidden,
  feed_forward_length: 4 * hidden,
  block_count: 2,
  'attention.head_count': heads,
  'attention.head_count_kv': heads,
  'attention.layer_norm_epsilon': 1e-5,
})

test.each([
  ['bloom', { heads: 4, hidden: 64 }],
  ['bloom-heads-6', { heads: 6, hidden: 48 }],
])("llama.cpp's file of the weights of %s gives the same bits", async (name, sizes) => {
  const { config, tensors, tokens } = await fixtureParts(name)
  const file = await ggufOf('bloom', ggufSizes(sizes), ggufTensors(tensors, sizes))
  expect(await logitsOf(file, tokens)).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

test('the blocks of a quantised file run as they are stored', async () => {
  const { tensors, tokens } = await fixtureParts('bloom')
  const sizes = { heads: 4, hidden: 64 }
  await expectStoredBlocks(() => ggufOf('bloom', ggufSizes(sizes), ggufTensors(tensors, sizes, 'Q8_0')), tokens)
})

test.each([
  ['heads that do not divide the width', { n_head: 7 }, /n_head: found 7 heads for a width of 64/],
  ['two widths', { n_embed: 128 }, /hidden_size: found 64, expected 128, as n_embed says/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('bloom')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
