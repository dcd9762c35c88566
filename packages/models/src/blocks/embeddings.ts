/** The two ends of a decoder: token ids to rows, and rows to logits. */
import { divide, gather, multiply, reshape, scalar, tanh, topK, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import type { LinearPart } from '../decoder/weight-binder.ts'
import { type Norm, normalized, normalizedStream } from './norms.ts'
import type { ResidualStream } from './residual-stream.ts'

/** The rows [1, steps, hidden] that enter the first layer: looked up by token id, or fed as they are. */
export function tokenEmbeddings(decoder: Decoder, table: string, size: { readonly vocab: number; readonly hidden: number }): Value {
  if (decoder.outputs.embeddingsInput) return decoder.tokens
  const rows = decoder.weights.embedding(decoder.tokens, table, size)
  return reshape(rows, [1, 'steps', size.hidden])
}

/**
 * Learned embeddings of absolute positions [1, steps, hidden].
 *
 * @param offset  rows of the table before that of position 0 (OPT has 2)
 */
export function positionEmbeddings(
  decoder: Decoder,
  table: string,
  { rows, hidden, offset = 0 }: { readonly rows: number; readonly hidden: number; readonly offset?: number },
): Value {
  return reshape(gather(decoder.weights.vector(table, [rows, hidden]), decoder.positions(offset)), [1, 'steps', hidden])
}

export interface HeadOptions {
  /** The final norm; absent where the model has none. */
  readonly norm?: Norm
  /** Name of the head's weight; the embedding's own when they are tied. */
  readonly weight: string
  readonly bias?: string
  /** A linear layer between the final norm and the head, whose inputs are then its outputs (OPT-350M). */
  readonly projection?: LinearPart
  readonly vocab: number
  readonly hidden: number
  /** Multiplies the logits. */
  readonly scale?: number
  /** Squashes the logits to ±softCap. */
  readonly softCap?: number
}

/** Final norm and logits of the wanted rows, and what else the step may return of them. */
export function languageModelHead(decoder: Decoder, stream: ResidualStream, options: HeadOptions): void {
  const { graph, outputs, weights } = decoder
  const { norm, hidden } = options
  const all = stream.value()
  const final = (rows: Value) => (norm === undefined ? rows : normalizedStream(decoder, rows, norm, hidden))
  if (outputs.hidden) {
    const unrotated = stream.unrotated(all)
    graph.output(`hidden_${decoder.layers.length}`, unrotated)
    graph.output('hidden_final', norm === undefined ? unrotated : normalized(decoder, unrotated, norm, hidden))
  }
  const wanted = gather(all, decoder.wantedRows, { axis: 1 }) // [1, wanted, hidden]
  const part = { name: options.weight, outputs: options.vocab, ...(options.bias === undefined ? {} : { bias: options.bias }) }
  const { projection } = options
  const rows = projection === undefined ? final(wanted) : weights.linear(final(wanted), [projection], { role: 'linear', inputs: hidden })
  const raw = weights.linear(rows, [part], { role: 'head', inputs: projection?.outputs ?? hidden })
  const scaled = options.scale === undefined || options.scale === 1 ? raw : multiply(raw, scalar(graph, options.scale))
  const logits = options.softCap === undefined ? scaled : softCapped(scaled, options.softCap)
  graph.output('logits', logits)
  if (outputs.topK > 0) {
    const [values, tokens] = topK(logits, outputs.topK)
    graph.output('top_values', values)
    graph.output('top_tokens', tokens)
  }
}

/** `softCap * tanh(x / softCap)` */
export function softCapped(x: Value, softCap: number): Value {
  return multiply(tanh(divide(x, scalar(x.graph, softCap))), scalar(x.graph, softCap))
}
