/**
 * A GGUF file of a given shape, written tensor by tensor. The header is made by `writeGguf` over one empty buffer that all tensors share; then each
 * tensor fills that buffer before it is written, so that the largest tensor is all that is in memory.
 */
import { open, rename } from 'node:fs/promises'
import { type GgufValue, openWeights, type WritableBlocks, writeGguf } from '@foretoken/weights'
import { typedValue } from '../prepare/requantized-gguf.ts'
import { blockBytesOf, fillRandomBlocks } from './random-blocks.ts'
import type { ModelShape } from './shape.ts'

/** `general.file_type` of llama.cpp. */
const FILE_TYPES: Readonly<Record<WritableBlocks, number>> = { Q4_0: 2, Q4_1: 3, Q8_0: 7 }

export interface ShapeFile {
  readonly shape: ModelShape
  readonly encoding: WritableBlocks
  /** A GGUF file whose tokenizer is taken over. */
  readonly tokenizerFrom: string
}

interface ShapeTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly encoding: WritableBlocks | 'F32'
}

/** @throws {Error} when the vocabulary is smaller than that of the tokenizer */
export async function writeShapeFile(file: string, { shape, encoding, tokenizerFrom }: ShapeFile): Promise<void> {
  const tensors = tensorsOf(shape, encoding)
  const room = new Uint8Array(Math.max(...tensors.map(bytesOf)))
  const named = tensors.map((tensor) => ({
    name: tensor.name,
    encoding: tensor.encoding,
    shape: tensor.dims,
    bytes: room.subarray(0, bytesOf(tensor)),
  }))
  const metadata = await metadataOf(shape, encoding, tokenizerFrom)
  const [header = room, padding = room, ...pieces] = writeGguf(named, metadata)
  const unfinished = `${file}.${process.pid}`
  await using handle = await open(unfinished, 'w')
  await handle.writeFile(header)
  await handle.writeFile(padding)
  for (const [index, tensor] of tensors.entries()) {
    // each tensor is followed by its padding
    const [bytes = room, after = room] = pieces.slice(2 * index)
    fillTensor(bytes, tensor, index)
    await handle.writeFile(bytes)
    await handle.writeFile(after)
  }
  await rename(unfinished, file)
}

/** In the order of llama.cpp's files. As there, the table stays in 8 bits, because it is the head as well. */
export function tensorsOf({ layers, hidden, heads, kvHeads, headDim, inner, vocab }: ModelShape, encoding: WritableBlocks): ShapeTensor[] {
  const linear = (name: string, outputs: number, inputs: number): ShapeTensor => ({ name, dims: [outputs, inputs], encoding })
  const norm = (name: string): ShapeTensor => ({ name, dims: [hidden], encoding: 'F32' })
  const layer = (prefix: string): ShapeTensor[] => [
    norm(`${prefix}.attn_norm.weight`),
    linear(`${prefix}.ffn_down.weight`, hidden, inner),
    linear(`${prefix}.ffn_gate.weight`, inner, hidden),
    linear(`${prefix}.ffn_up.weight`, inner, hidden),
    norm(`${prefix}.ffn_norm.weight`),
    linear(`${prefix}.attn_k.weight`, kvHeads * headDim, hidden),
    linear(`${prefix}.attn_output.weight`, hidden, heads * headDim),
    linear(`${prefix}.attn_q.weight`, heads * headDim, hidden),
    linear(`${prefix}.attn_v.weight`, kvHeads * headDim, hidden),
  ]
  return [
    { name: 'token_embd.weight', dims: [vocab, hidden], encoding: 'Q8_0' },
    ...Array.from({ length: layers }, (_, index) => layer(`blk.${index}`)).flat(),
    norm('output_norm.weight'),
  ]
}

function bytesOf({ dims, encoding }: ShapeTensor): number {
  const elements = dims.reduce((product, dim) => product * dim, 1)
  return encoding === 'F32' ? 4 * elements : blockBytesOf(encoding, elements)
}

function fillTensor(bytes: Uint8Array, { encoding, dims }: ShapeTensor, seed: number): void {
  if (encoding === 'F32') new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).fill(1)
  else fillRandomBlocks(bytes, encoding, { inputs: dims[1] ?? 1, seed })
}

async function metadataOf(shape: ModelShape, encoding: WritableBlocks, tokenizerFrom: string): Promise<Map<string, GgufValue>> {
  await using source = await openWeights(tokenizerFrom)
  const count = (value: number): GgufValue => ({ type: 'uint32', value })
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: shape.name }],
    ['general.file_type', count(FILE_TYPES[encoding])],
    ['general.quantization_version', count(2)],
    ['llama.block_count', count(shape.layers)],
    ['llama.context_length', count(8192)],
    ['llama.embedding_length', count(shape.hidden)],
    ['llama.feed_forward_length', count(shape.inner)],
    ['llama.attention.head_count', count(shape.heads)],
    ['llama.attention.head_count_kv', count(shape.kvHeads)],
    ['llama.attention.key_length', count(shape.headDim)],
    ['llama.attention.value_length', count(shape.headDim)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: 1e-5 }],
    ['llama.rope.freq_base', { type: 'float32', value: 100_000 }],
    ['llama.rope.dimension_count', count(shape.headDim)],
    ['llama.vocab_size', count(shape.vocab)],
  ])
  for (const [key, value] of source.metadata) {
    if (key.startsWith('tokenizer.ggml.')) metadata.set(key, padded(key, typedValue(key, value), shape.vocab))
  }
  return metadata
}

/** Tokens that the tokenizer does not have are unused ones: token type 5 of llama.cpp. */
function padded(key: string, value: GgufValue, vocab: number): GgufValue {
  const fillers = new Map<string, (at: number) => GgufValue>([
    ['tokenizer.ggml.tokens', (at) => ({ type: 'string', value: `<unused ${at}>` })],
    ['tokenizer.ggml.token_type', () => ({ type: 'int32', value: 5 })],
  ])
  const filler = fillers.get(key)
  if (filler === undefined || value.type !== 'array') return value
  const { values } = value
  if (values.length > vocab)
    throw new Error(`found a vocabulary of ${vocab}, expected at least the ${values.length} tokens of the tokenizer`)
  return { ...value, values: [...values, ...Array.from({ length: vocab - values.length }, (_, at) => filler(values.length + at))] }
}
