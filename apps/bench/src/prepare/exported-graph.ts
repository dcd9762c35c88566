/**
 * A Llama model as the ONNX graph that transformers.js expects: the inputs and outputs of the exports on the hub, attention by
 * `GroupQueryAttention` with its own rotary tables, logits for as many rows as `num_logits_to_keep` says. Two formats:
 *
 * - `q4`: 4-bit blocks of 32 without minima, float32 embedding, as in `model_q4.onnx`;
 * - `q8`: dynamic quantisation, as in `model_quantized.onnx`, but with a scale for each output instead of one for a matrix,
 *   which is kinder: the same speed and a better perplexity. Activations have one scale for all rows of a step, so a prompt loses
 *   much more than single tokens do (the first 128 tokens of the text: 115 in one step, 52 one by one, 50 in float32).
 */
import {
  assumeDims,
  cast,
  dynamicQuantizeMatMul,
  encodeModelInline,
  Graph,
  gather,
  groupQueryAttention,
  linear,
  multiply,
  negate,
  quickGelu,
  reduceSum,
  reshape,
  rmsNormalization,
  shapeOf,
  skipRmsNormalization,
  slice,
  subtract,
  unsqueeze,
  type Value,
} from '@foretoken/graph'
import { type Checkpoint, CheckpointError, type NamedWeight } from '@foretoken/models'
import type { LinearFormat } from '@foretoken/tensor'
import { decodeToFloat32, packStored, type StoredTensor } from '@foretoken/weights'

export type ExportedFormat = 'q4' | 'q8'

const FOUR_BIT_BLOCKS: LinearFormat = { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: false }
const ZERO_POINT = 128
/** Exports carry tables of this length or of the whole context. */
const MOST_POSITIONS = 8192

/** The pieces of the file. */
export async function exportedGraph(checkpoint: Checkpoint, format: ExportedFormat): Promise<readonly Uint8Array[]> {
  const { layers, hidden, heads, kvHeads, headDim, vocab, maxPositions } = checkpoint.description.config
  const epsilon = normalizationEpsilon(checkpoint)
  const graph = new Graph({ name: 'exported' })
  const weights = weightsOf(graph, checkpoint, format)

  const ids = graph.input('input_ids', 'int64', ['batch_size', 'sequence_length'])
  const mask = graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length'])
  graph.input('position_ids', 'int64', ['batch_size', 'sequence_length'])
  const kept = graph.input('num_logits_to_keep', 'int64', [])

  const one = graph.constant('int64', [], [1n])
  const lastPositions = assumeDims(cast(subtract(reduceSum(mask, [1], { keepDims: false }), one), 'int32'), ['batch_size'])
  const totalLength = reshape(cast(shapeOf(mask, { start: 1, end: 2 }), 'int32'), [])
  const tables = rotaryTables(checkpoint, Math.min(maxPositions, MOST_POSITIONS))
  const cosines = graph.initializer('cosines', 'float32', tables.dims, tables.cosines)
  const sines = graph.initializer('sines', 'float32', tables.dims, tables.sines)

  let residual = await weights.embedding('model.embed_tokens.weight', ids)
  let normed: Value = rmsNormalization(residual, await weights.vector('model.layers.0.input_layernorm.weight'), { epsilon })
  for (let layer = 0; layer < layers; layer++) {
    const name = `model.layers.${layer}`
    const past = (part: string) =>
      graph.input(`past_key_values.${layer}.${part}`, 'float32', ['batch_size', kvHeads, 'past_sequence_length', headDim])
    const [attended, presentKey, presentValue] = groupQueryAttention(
      {
        query: await weights.linear(normed, `${name}.self_attn.q_proj.weight`, heads * headDim),
        key: await weights.linear(normed, `${name}.self_attn.k_proj.weight`, kvHeads * headDim),
        value: await weights.linear(normed, `${name}.self_attn.v_proj.weight`, kvHeads * headDim),
        pastKey: past('key'),
        pastValue: past('value'),
        lastPositions,
        totalLength,
        cosines,
        sines,
      },
      { heads, kvHeads },
    )
    graph.output(`present.${layer}.key`, presentKey)
    graph.output(`present.${layer}.value`, presentValue)
    const projected = await weights.linear(attended, `${name}.self_attn.o_proj.weight`, hidden)
    const fed = skipRmsNormalization(residual, projected, await weights.vector(`${name}.post_attention_layernorm.weight`), { epsilon })
    const gate = await weights.linear(fed[0], `${name}.mlp.gate_proj.weight`)
    const up = await weights.linear(fed[0], `${name}.mlp.up_proj.weight`)
    const down = await weights.linear(multiply(quickGelu(gate, { alpha: 1 }), up), `${name}.mlp.down_proj.weight`, hidden)
    const nextNorm = layer + 1 < layers ? `model.layers.${layer + 1}.input_layernorm.weight` : 'model.norm.weight'
    const next = skipRmsNormalization(fed[1], down, await weights.vector(nextNorm), { epsilon })
    ;[normed, residual] = next
  }
  // Slicing from -0 keeps every row: 0 means all, as in the exports of the hub.
  const last = slice(normed, { axis: 1, start: reshape(negate(kept), [1]) })
  const head = checkpoint.weights.find('lm_head.weight') === undefined ? 'model.embed_tokens.weight' : 'lm_head.weight'
  graph.output('logits', await weights.linear(last, head, vocab))
  return (await encodeModelInline(graph)).parts
}

/** config.json as far as transformers.js reads it. No end of text: every side makes as many tokens as it is told. */
export function exportedConfig(checkpoint: Checkpoint): string {
  const { layers, hidden, heads, kvHeads, headDim, vocab, maxPositions } = checkpoint.description.config
  return JSON.stringify({
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    head_dim: headDim,
    num_attention_heads: heads,
    num_hidden_layers: layers,
    num_key_value_heads: kvHeads,
    max_position_embeddings: maxPositions,
    vocab_size: vocab,
  })
}

/** Why a checkpoint cannot be exported, if it cannot. */
export function reasonNotExported({ description }: Checkpoint): string | undefined {
  const { config, layers } = description
  const isPlain = layers.every(({ rope, window }) => rope?.rotaryDim === config.headDim && !rope.isInterleaved && window === undefined)
  if (config.modelType === 'llama' && isPlain && config.headDim % 16 === 0) return undefined
  return `the exported graph is made for Llama with full rotary heads only, found ${config.modelType}`
}

function weightsOf(graph: Graph, { weights }: Checkpoint, format: ExportedFormat) {
  const find = (name: string) => weights.find(name) ?? refuse(name, 'no tensor', 'a tensor of that name')
  const read = ({ info }: NamedWeight) => weights.store.read(info.name)
  const zeroPoint = graph.constant('uint8', [], [ZERO_POINT])
  const parts = (weight: NamedWeight, stored: StoredTensor) => [{ stored, ...(weight.rowOrder && { rowOrder: weight.rowOrder }) }]
  const packedRows = async (name: string) => {
    const weight = find(name)
    const packed = packStored(parts(weight, await read(weight)), { kind: 'int8-rows' })
    const { values, scales } = packed.parts
    if (!(values instanceof Uint8Array) || scales === undefined) return refuse(name, packed.format.kind, 'int8 rows')
    return { ...packed, values, scales }
  }

  return {
    async vector(name: string): Promise<Value> {
      const { shape, ...stored } = await read(find(name))
      return graph.initializer(name, 'float32', shape, decodeToFloat32({ shape, ...stored }))
    },

    /** @param expected  outputs, where they are known */
    async linear(x: Value, name: string, expected?: number): Promise<Value> {
      const weight = find(name)
      const [outputs = 0, inputs = 0] = weight.info.shape
      if (expected !== undefined && outputs !== expected) return refuse(name, `${outputs} outputs`, `${expected}`)
      if (format === 'q4') {
        const load = async () => packStored(parts(weight, await read(weight)), FOUR_BIT_BLOCKS)
        return linear(x, { name, outputs, inputs, format: FOUR_BIT_BLOCKS, load })
      }
      const { values, scales } = await packedRows(name)
      const matrix = graph.initializer(`${name}.values`, 'uint8', [inputs, outputs], values)
      const scale = graph.initializer(`${name}.scales`, 'float32', [outputs], scales)
      return dynamicQuantizeMatMul(x, matrix, scale, { bZeroPoint: zeroPoint })
    },

    async embedding(name: string, ids: Value): Promise<Value> {
      const weight = find(name)
      const [rows = 0, width = 0] = weight.info.shape
      if (format === 'q4')
        return gather(graph.initializer(`${name}.table`, 'float32', [rows, width], decodeToFloat32(await read(weight))), ids)
      const { values, scales } = await packedRows(name)
      const table = new Uint8Array(rows * width)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < width; column++) table[row * width + column] = values[column * rows + row] ?? 0
      const found = cast(gather(graph.initializer(`${name}.table`, 'uint8', [rows, width], table), ids), 'float32')
      const scale = gather(graph.initializer(`${name}.tableScales`, 'float32', [rows], scales), ids)
      return multiply(subtract(found, graph.constant('float32', [], [ZERO_POINT])), unsqueeze(scale, [-1]))
    },
  }
}

function rotaryTables({ description }: Checkpoint, positions: number) {
  const rope = description.layers[0]?.rope
  const pairs = description.config.headDim / 2
  const frequencies = rope?.inverseFrequencies(positions) ?? new Float32Array(pairs)
  const cosines = new Float32Array(positions * pairs)
  const sines = new Float32Array(positions * pairs)
  for (let position = 0, at = 0; position < positions; position++) {
    for (let pair = 0; pair < pairs; pair++, at++) {
      const angle = position * (frequencies[pair] ?? 0)
      cosines[at] = Math.cos(angle)
      sines[at] = Math.sin(angle)
    }
  }
  return { cosines, sines, dims: [positions, pairs] }
}

function normalizationEpsilon({ weights }: Checkpoint): number {
  const epsilon = weights.store.metadata.get('llama.attention.layer_norm_rms_epsilon')
  return typeof epsilon === 'number' ? epsilon : refuse('llama.attention.layer_norm_rms_epsilon', String(epsilon), 'a number')
}

function refuse(tensor: string, found: string, expected: string): never {
  throw new CheckpointError({ tensor, found, expected })
}
