import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

test('a GGUF of StarCoder 2, which has no window, gives the bits of the safetensors without their window', async () => {
  // a base that float32 holds exactly, as the metadata have it in float32
  await using folder = await changedCopy('starcoder2', { config: { sliding_window: null, rope_theta: 1_000_000 } })
  const { inputIds } = await checkpointFixture('starcoder2')
  await using gguf = await asGguf(folder.path, {
    architecture: 'starcoder2',
    metadata: {
      context_length: uint32(256),
      embedding_length: uint32(64),
      block_count: uint32(2),
      feed_forward_length: uint32(128),
      'attention.head_count': uint32(4),
      'attention.head_count_kv': uint32(2),
      'attention.layer_norm_epsilon': float32(1e-5),
      'rope.freq_base': float32(1_000_000),
    },
    tensor: (name) => ({
      name: ggufName(name, {
        ...COMMON_PARTS,
        post_attention_layernorm: 'ffn_norm',
        'mlp.c_fc': 'ffn_up',
        'mlp.c_proj': 'ffn_down',
      }),
    }),
  })
  await expectSameLogits(gguf.path, folder.path, inputIds[0] ?? [])
})

test.each([
  [{ norm_type: 'rms_norm' }, /norm_type: found "rms_norm", expected one of layer_norm/],
  [{ mlp_type: 'gated' }, /mlp_type: found "gated", expected one of default/],
  [{ use_bias: false }, /tensors.*no place for: .*bias/],
])('%o is refused', async (config, message) => {
  await using folder = await changedCopy('starcoder2', { config })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(message)
})
