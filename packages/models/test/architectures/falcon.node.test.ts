import { expect, test } from 'vitest'
import { largestDifference } from '../checkpoint-fixture.ts'
import { checkpointOf, fixtureParts, ggufOf, logitsOf, type PlainTensor, withRows } from '../checkpoint-variants.ts'

test.each([
  ['falcon', { hidden: 64, heads: 4, kvHeads: 1 }],
  ['falcon-groups', { hidden: 32, heads: 8, kvHeads: 2 }],
])("llama.cpp's file of the weights of %s gives the same bits", async (name, { hidden, heads, kvHeads }) => {
  const { config, tensors, tokens } = await fixtureParts(name)
  const parts: Record<string, string> = {
    word_embeddings: 'token_embd',
    ln_f: 'output_norm',
    input_layernorm: 'attn_norm',
    ln_mlp: 'attn_norm',
    ln_attn: 'attn_norm_2',
    query_key_value: 'attn_qkv',
    'self_attention.dense': 'attn_output',
    dense_h_to_4h: 'ffn_up',
    dense_4h_to_h: 'ffn_down',
  }
  // rows of a group are its queries, its key, its value; llama.cpp puts the queries of all groups first
  const width = hidden / heads
  const group = heads / kvHeads
  const rowsOf = (kv: number, first: number, count: number) =>
    Array.from({ length: count * width }, (_, row) => (kv * (group + 2) + first) * width + row)
  const groups = Array.from({ length: kvHeads }, (_, kv) => kv)
  const separated = [
    ...groups.flatMap((kv) => rowsOf(kv, 0, group)),
    ...groups.flatMap((kv) => rowsOf(kv, group, 1)),
    ...groups.flatMap((kv) => rowsOf(kv, group + 1, 1)),
  ]
  const stored = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) {
    const layer = /\.h\.(\d+)\./.exec(name)?.[1]
    const [, part = ''] = Object.entries(parts).find(([each]) => name.includes(`.${each}.`)) ?? []
    const to = `${layer === undefined ? '' : `blk.${layer}.`}${part}${name.slice(name.lastIndexOf('.'))}`
    stored.set(to, part === 'attn_qkv' ? withRows(tensor, separated) : tensor)
  }
  const file = await ggufOf(
    'falcon',
    {
      tensor_data_layout: 'jploski',
      context_length: 2048,
      embedding_length: hidden,
      feed_forward_length: 4 * hidden,
      block_count: 2,
      'attention.head_count': heads,
      'attention.head_count_kv': kvHeads,
      'attention.layer_norm_epsilon': 1e-5,
    },
    stored,
  )
  expect(await logitsOf(file, tokens)).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

test('a file for one key/value head may name as many as heads, and may use the old names of the sizes', async () => {
  const { config, tensors, tokens } = await fixtureParts('falcon')
  const expected = await logitsOf(await checkpointOf(config, tensors), tokens)
  const { num_attention_heads, num_hidden_layers, ...rest } = config
  const old = { ...rest, n_head: num_attention_heads, n_layer: num_hidden_layers }
  expect(await logitsOf(await checkpointOf({ ...config, num_kv_heads: 4 }, tensors), tokens)).toEqual(expected)
  expect(await logitsOf(await checkpointOf(old, tensors), tokens)).toEqual(expected)
})

test('groups with one norm for both blocks are those with two equal ones', async () => {
  const { config, tensors, tokens } = await fixtureParts('falcon-groups')
  const one = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) {
    if (!name.includes('.ln_mlp.')) one.set(name.replace('.ln_attn.', '.input_layernorm.'), tensor)
    if (name.includes('.ln_attn.')) tensors.set(name.replace('.ln_attn.', '.ln_mlp.'), tensor)
  }
  const expected = await logitsOf(await checkpointOf(config, tensors), tokens)
  const found = await logitsOf(await checkpointOf({ ...config, num_ln_in_parallel_attn: 1 }, one), tokens)
  // the first of two norms is fused with the addition before it, the second is not: they round differently
  expect(largestDifference(found, expected)).toBeLessThan(1e-5)
})

test.each([
  ['key/value heads that do not divide the heads', { new_decoder_architecture: true, num_kv_heads: 3 }, /num_kv_heads: found 3 for 4/],
  ['groups without the architecture that has them', { multi_query: false, num_kv_heads: 2 }, /num_kv_heads: found 2 without groups/],
  ['groups with blocks one after the other', { new_decoder_architecture: true, parallel_attn: false }, /parallel_attn: found false/],
  ['two norms without groups', { num_ln_in_parallel_attn: 2 }, /num_ln_in_parallel_attn: found 2, expected 1 without/],
  ['three norms', { new_decoder_architecture: true, num_ln_in_parallel_attn: 3 }, /num_ln_in_parallel_attn: found 3, expected 1 or 2/],
  [
    'a residual behind the norm',
    { apply_residual_connection_post_layernorm: true },
    /apply_residual_connection_post_layernorm: found true/,
  ],
  ['an unknown activation', { activation: 'sine' }, /activation: found "sine"/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('falcon')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
