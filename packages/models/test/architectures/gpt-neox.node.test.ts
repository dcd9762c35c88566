import { expect, test } from 'vitest'
import { checkpointOf, fixtureParts, ggufOf, logitsOf, type PlainTensor, withRows } from '../checkpoint-variants.ts'

test.each([
  ['gpt_neox', 4],
  ['gpt_neox-sequential', 16],
])("llama.cpp's file of the weights of %s gives the same bits", async (name, rotated) => {
  const { config, tensors, tokens } = await fixtureParts(name)
  const parts: Record<string, string> = {
    'gpt_neox.embed_in': 'token_embd',
    'gpt_neox.final_layer_norm': 'output_norm',
    embed_out: 'output',
    input_layernorm: 'attn_norm',
    query_key_value: 'attn_qkv',
    'attention.dense': 'attn_output',
    post_attention_layernorm: 'ffn_norm',
    dense_h_to_4h: 'ffn_up',
    dense_4h_to_h: 'ffn_down',
  }
  // rows of head h are its query, key, value; llama.cpp puts the queries of all heads first
  const separated = ['query', 'key', 'value'].flatMap((_, part) =>
    Array.from({ length: 64 }, (_, row) => Math.floor(row / 16) * 48 + part * 16 + (row % 16)),
  )
  const stored = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) {
    const layer = /layers\.(\d+)\./.exec(name)?.[1]
    const [, part = ''] = Object.entries(parts).find(([each]) => name.includes(`${each}.`)) ?? []
    const to = `${layer === undefined ? '' : `blk.${layer}.`}${part}${name.slice(name.lastIndexOf('.'))}`
    stored.set(to, part === 'attn_qkv' ? withRows(tensor, separated) : tensor)
  }
  const file = await ggufOf(
    'gptneox',
    {
      context_length: 128,
      embedding_length: 64,
      feed_forward_length: 128,
      block_count: 2,
      'attention.head_count': 4,
      'attention.layer_norm_epsilon': 1e-5,
      'rope.dimension_count': rotated,
      use_parallel_residual: name === 'gpt_neox',
    },
    stored,
  )
  expect(await logitsOf(file, tokens)).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

test('the buffers of older exporters are passed over', async () => {
  const { config, tensors, tokens } = await fixtureParts('gpt_neox')
  const expected = await logitsOf(await checkpointOf(config, tensors), tokens)
  for (const layer of [0, 1]) {
    const name = `gpt_neox.layers.${layer}.attention`
    tensors.set(`${name}.bias`, { shape: [1, 1, 128, 128], data: new Float32Array(128 * 128) })
    tensors.set(`${name}.masked_bias`, { shape: [], data: new Float32Array(1) })
    tensors.set(`${name}.rotary_emb.inv_freq`, { shape: [2], data: new Float32Array(2) })
  }
  expect(await logitsOf(await checkpointOf(config, tensors), tokens)).toEqual(expected)
})

test('a bias that is no mask is not passed over', async () => {
  const { config, tensors, tokens } = await fixtureParts('gpt_neox')
  tensors.set('gpt_neox.layers.0.attention.bias', { shape: [64], data: new Float32Array(64) })
  await expect(logitsOf(await checkpointOf(config, tensors), tokens)).rejects.toMatchObject({ code: 'checkpoint' })
})

test.each([
  ['an odd number of rotated elements', { rotary_pct: 0.2 }, /partial_rotary_factor.*found 0.2 of a head of 16/],
  ['more rotated elements than a head has', { rotary_pct: 2 }, /found 2 of a head of 16/],
  ['an unknown activation', { hidden_act: 'sine' }, /hidden_act: found "sine"/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('gpt_neox')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
