import { expect, test } from 'vitest'
import { checkpointOf, fixtureParts, ggufOf, logitsOf, type PlainTensor } from '../checkpoint-variants.ts'

test.each([
  ['mpt', 64, 8],
  ['mpt-clip', 32, 16],
])("llama.cpp's file of the weights of %s gives the same bits", async (name, hidden, largestBias) => {
  const { config, tensors, tokens } = await fixtureParts(name)
  // llama.cpp has no place for a scale of the scores
  const attention = { ...(config.attn_config as object), softmax_scale: null }
  const parts: Record<string, string> = {
    wte: 'token_embd',
    norm_f: 'output_norm',
    norm_1: 'attn_norm',
    Wqkv: 'attn_qkv',
    q_ln: 'attn_q_norm',
    k_ln: 'attn_k_norm',
    out_proj: 'attn_output',
    norm_2: 'ffn_norm',
    up_proj: 'ffn_up',
    down_proj: 'ffn_down',
  }
  const stored = new Map<string, PlainTensor>()
  for (const [name, tensor] of tensors) {
    const layer = /\.blocks\.(\d+)\./.exec(name)?.[1]
    stored.set(`${layer === undefined ? '' : `blk.${layer}.`}${parts[name.split('.').at(-2) ?? '']}.weight`, tensor)
  }
  const file = await ggufOf(
    'mpt',
    {
      context_length: 96,
      embedding_length: hidden,
      feed_forward_length: 4 * hidden,
      block_count: 2,
      'attention.head_count': 4,
      'attention.layer_norm_epsilon': 1e-5,
      'attention.max_alibi_bias': largestBias + 0.0,
      ...(name === 'mpt-clip' ? { 'attention.clamp_kqv': 1.5 } : {}),
    },
    stored,
  )
  expect(await logitsOf(file, tokens)).toEqual(await logitsOf(await checkpointOf({ ...config, attn_config: attention }, tensors), tokens))
})

test.each([
  ['learned positions instead of ALiBi', { attn_config: { alibi: false } }, /attn_config.alibi: found false/],
  ['one key/value head', { attn_config: { attn_type: 'multiquery_attention' } }, /attn_config.attn_type: found "multiquery_attention"/],
  ['groups of queries', { attn_config: { kv_n_heads: 2 } }, /attn_config.kv_n_heads: found 2/],
  ['a prefix that sees itself whole', { attn_config: { prefix_lm: true } }, /attn_config.prefix_lm: found true/],
  ['several texts in a row', { attn_config: { attn_uses_sequence_id: true } }, /attn_config.attn_uses_sequence_id: found true/],
  ['a rotary embedding', { attn_config: { rope: true } }, /attn_config.rope: found true/],
  ['a window', { attn_config: { sliding_window_size: 128 } }, /attn_config.sliding_window_size: found 128/],
  ['clipping to nothing', { attn_config: { clip_qkv: 0 } }, /attn_config.clip_qkv: found 0/],
  ['slopes of nothing', { attn_config: { alibi_bias_max: 0 } }, /attn_config.alibi_bias_max: found 0/],
  ['biases', { no_bias: false }, /no_bias: found false/],
  ['another norm', { norm_type: 'rmsnorm' }, /norm_type: found "rmsnorm"/],
  ['scaled logits', { logit_scale: 'inv_sqrt_d_model' }, /logit_scale: found "inv_sqrt_d_model"/],
  ['another feed-forward block', { ffn_config: { ffn_type: 'mptgeglu' } }, /ffn_config.ffn_type: found "mptgeglu"/],
  ['half a row of inner elements', { expansion_ratio: 0.01 }, /expansion_ratio: found 0.01/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('mpt')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
