/**
 * Shapes of models whose weights do not matter: what they cost to open and to run depends on layers, widths and vocabulary alone. Four of them
 * are those of published models of 0.4 to 1.7 billion parameters, one is large enough that its 8-bit weights are beyond 2 GB, and the rest are
 * small ones in which a single size grows.
 */

/** A decoder as Llama has it: gated feed-forward, grouped heads, the head tied to the embedding. */
export interface ModelShape {
  readonly name: string
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Width of the feed-forward. */
  readonly inner: number
  readonly vocab: number
  /** Lengths of the prompts, ascending; 16 and 512 when absent. */
  readonly contexts?: readonly number[]
}

/** Qwen2.5 has biases and Gemma other norms besides: as Llamas they cost the same products. */
const PUBLISHED: readonly ModelShape[] = [
  { name: 'smollm2-360m', layers: 32, hidden: 960, heads: 15, kvHeads: 5, headDim: 64, inner: 2560, vocab: 49_152 },
  { name: 'llama-3.2-1b', layers: 16, hidden: 2048, heads: 32, kvHeads: 8, headDim: 64, inner: 8192, vocab: 128_256 },
  { name: 'qwen2.5-1.5b', layers: 28, hidden: 1536, heads: 12, kvHeads: 2, headDim: 128, inner: 8960, vocab: 151_936 },
  { name: 'smollm2-1.7b', layers: 24, hidden: 2048, heads: 32, kvHeads: 32, headDim: 64, inner: 8192, vocab: 49_152 },
  { name: 'gemma-2-2b', layers: 26, hidden: 2304, heads: 8, kvHeads: 4, headDim: 256, inner: 9216, vocab: 256_000 },
]

/** Where only one size grows: the context here, layers and width in the others. */
const BASE: ModelShape = {
  name: 'base',
  layers: 16,
  hidden: 1024,
  heads: 16,
  kvHeads: 4,
  headDim: 64,
  inner: 4096,
  vocab: 49_152,
  contexts: [16, 512, 2048, 4096],
}

const GROWING: readonly ModelShape[] = [
  BASE,
  ...[8, 32].map((layers) => ({ ...BASE, name: `layers-${layers}`, layers, contexts: [16, 512] })),
  ...[512, 2048].map((hidden) => ({
    ...BASE,
    name: `width-${hidden}`,
    hidden,
    heads: hidden / 64,
    kvHeads: hidden / 256,
    inner: 4 * hidden,
    contexts: [16, 512],
  })),
]

export const SHAPES: readonly ModelShape[] = [...PUBLISHED, ...GROWING]

/** Weights of all products and of the table, without norms. */
export function parametersOf({ layers, hidden, heads, kvHeads, headDim, inner, vocab }: ModelShape): number {
  const attention = 2 * hidden * heads * headDim + 2 * hidden * kvHeads * headDim
  return vocab * hidden + layers * (attention + 3 * hidden * inner)
}
