import { describe, expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { asGguf, changedCopy, float32, type NumericTensor, uint32 } from '../checkpoint-copies.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { COMMON_PARTS, ggufName } from '../gguf-rows.ts'
import { expectSameLogits } from '../same-logits.ts'

const metadata = {
  context_length: uint32(256),
  embedding_length: uint32(64),
  block_count: uint32(2),
  feed_forward_length: uint32(128),
  'attention.head_count': uint32(4),
  'attention.head_count_kv': uint32(4),
  'attention.layer_norm_epsilon': float32(1e-5),
  'rope.dimension_count': uint32(8),
}

const nameOf = (name: string) =>
  ggufName(name.replace('final_layernorm', 'norm'), {
    ...COMMON_PARTS,
    'self_attn.dense': 'attn_output',
    'mlp.fc1': 'ffn_up',
    'mlp.fc2': 'ffn_down',
  })

describe('GGUF', () => {
  test('Phi gives the bits of its safetensors', async () => {
    const { folder, inputIds } = await checkpointFixture('phi')
    await using gguf = await asGguf(folder, { architecture: 'phi2', metadata, tensor: (name) => ({ name: nameOf(name) }) })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })

  test('a file with queries, keys and values in one weight gives the same bits', async () => {
    const { folder, inputIds } = await checkpointFixture('phi')
    const fused = new Map<string, NumericTensor>()
    for (const layer of [0, 1]) {
      fused.set(`blk.${layer}.attn_qkv.weight`, { shape: [192, 64], data: new Float32Array(192 * 64) })
      fused.set(`blk.${layer}.attn_qkv.bias`, { shape: [192], data: new Float32Array(192) })
    }
    await using gguf = await asGguf(folder, {
      architecture: 'phi2',
      metadata,
      extra: fused,
      tensor(name, { data }) {
        const [, layer, which = '', kind] = /layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)$/.exec(name) ?? []
        if (which === '') return { name: nameOf(name) }
        fused.get(`blk.${layer}.attn_qkv.${kind}`)?.data.set(data, 'qkv'.indexOf(which) * data.length)
        return undefined
      },
    })
    await expectSameLogits(gguf.path, folder, inputIds[0] ?? [])
  })
})

test('norms of queries and keys stand before the rope, with one scale and bias for all heads', async () => {
  // scales of zero leave the biases: the same as projections that are zero but for these biases in each head
  const bias = {
    q: Float32Array.from({ length: 16 }, (_, at) => Math.sin(at)),
    k: Float32Array.from({ length: 16 }, (_, at) => Math.cos(at)),
  }
  const heads = ['q', 'k'] as const
  await using normed = await changedCopy('phi', {
    config: { qk_layernorm: true },
    tensors(tensors) {
      for (const layer of [0, 1]) {
        for (const which of heads) {
          const name = `model.layers.${layer}.self_attn.${which}_layernorm`
          tensors.set(`${name}.weight`, { shape: [16], data: new Float32Array(16) })
          tensors.set(`${name}.bias`, { shape: [16], data: bias[which] })
        }
      }
    },
  })
  await using constant = await changedCopy('phi', {
    tensors(tensors) {
      for (const layer of [0, 1]) {
        for (const which of heads) {
          const name = `model.layers.${layer}.self_attn.${which}_proj`
          tensors.get(`${name}.weight`)?.data.fill(0)
          for (let head = 0; head < 4; head++) tensors.get(`${name}.bias`)?.data.set(bias[which], head * 16)
        }
      }
    },
  })
  const { inputIds } = await checkpointFixture('phi')
  await expectSameLogits(normed.path, constant.path, inputIds[0] ?? [])
})

test('a missing bias of the head is named', async () => {
  await using folder = await changedCopy('phi', { tensors: (tensors) => tensors.delete('lm_head.bias') })
  await expect(loadCausalLM(folder.path)).rejects.toThrow(/lm_head.bias: found no such tensor, expected one of shape \[256\]/)
})
