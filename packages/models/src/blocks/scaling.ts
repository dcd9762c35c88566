/** Constant factors that some models put where others have none: on the embeddings (Gemma, Granite), on what a block adds (Granite). */
import { multiply, scalar, type Value } from '@foretoken/graph'
import type { Decoder } from '../decoder/decoder.ts'
import { tokenEmbeddings } from './embeddings.ts'

/** x times a constant, which is rounded to float32; x itself when it is 1. */
export function scaled(x: Value, factor: number): Value {
  return factor === 1 ? x : multiply(x, scalar(x.graph, factor))
}

/** Embeddings by token id, times a constant. Embeddings that are fed enter the first layer as they are: they are scaled already. */
export function scaledTokenEmbeddings(
  decoder: Decoder,
  table: string,
  { factor, ...size }: { readonly vocab: number; readonly hidden: number; readonly factor: number },
): Value {
  const rows = tokenEmbeddings(decoder, table, size)
  return decoder.outputs.embeddingsInput ? rows : scaled(rows, factor)
}
