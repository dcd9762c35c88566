/** The two ends of a decoder: token ids to rows, and rows to logits. */
import { gather, reshape, rmsNormalization, topK, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import type { ResidualStream } from './residual-stream.ts'

/** The rows [1, steps, hidden] that enter the first layer: looked up by token id, or fed as they are. */
export function tokenEmbeddings(decoder: Decoder, table: string, size: { readonly vocab: number; readonly hidden: number }): Value {
  if (decoder.outputs.embeddingsInput) return decoder.tokens
  const rows = decoder.weights.embedding(decoder.tokens, table, size)
  return reshape(rows, [1, 'steps', size.hidden])
}

export interface HeadOptions {
  readonly norm: string
  readonly epsilon: number
  /** Name of the head's weight; the embedding's own when they are tied. */
  readonly weight: string
  readonly bias?: string
  readonly vocab: number
  readonly hidden: number
}

/** Final norm and logits of the wanted rows, and what else the step may return of them. */
export function languageModelHead(decoder: Decoder, stream: ResidualStream, options: HeadOptions): void {
  const { graph, outputs, weights } = decoder
  const all = stream.value()
  const scale = weights.vector(options.norm, [options.hidden])
  if (outputs.hidden) {
    graph.output(`hidden_${decoder.layers.length}`, all)
    graph.output('hidden_final', rmsNormalization(all, scale, { epsilon: options.epsilon }))
  }
  const wanted = gather(all, decoder.wantedRows, { axis: 1 }) // [1, wanted, hidden]
  const normalized = rmsNormalization(wanted, scale, { epsilon: options.epsilon })
  const logits = weights.linear(normalized, [{ name: options.weight, outputs: options.vocab }], {
    role: 'head',
    inputs: options.hidden,
    ...(options.bias === undefined ? {} : { bias: options.bias }),
  })
  graph.output('logits', logits)
  if (outputs.topK > 0) {
    const [values, tokens] = topK(logits, outputs.topK)
    graph.output('top_values', values)
    graph.output('top_tokens', tokens)
  }
}
