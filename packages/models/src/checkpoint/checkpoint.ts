/**
 * A checkpoint in the words of Hugging Face, whatever file it came from: a configuration, tensors by name, and a tokenizer.
 * The rest of the package sees this and neither safetensors nor GGUF.
 */
import type { Tokenizer } from '@foretoken/tokenizers'
import type { TensorInfo, WeightStore } from '@foretoken/weights'
import type { Architecture, DecoderDescription } from '../architectures/architecture.ts'
import type { GenerationDefaults } from '../causal-lm.ts'

export interface Checkpoint extends AsyncDisposable {
  /** For messages and the plan: the folder, file or hub id it was opened as. */
  readonly name: string
  /** Changes when the files change; absent where that cannot be told. */
  readonly fingerprint?: string
  /** Where another thread can open it again; absent where it is no path. */
  readonly path?: string
  readonly architecture: Architecture
  readonly description: DecoderDescription
  readonly weights: NamedWeights
  /** What `description` would be with so many of the layers, the first ones. */
  describeFirst?(layers: number): DecoderDescription
  readonly tokenizer?: Tokenizer
  readonly generationDefaults: GenerationDefaults
}

export interface NamedWeights {
  readonly store: WeightStore
  /** @param name  Hugging Face's name */
  find(name: string): NamedWeight | undefined
  /** Tensors that a good checkpoint may hold although no graph reads them. */
  isExpectedUnused(info: TensorInfo): boolean
}

export interface NamedWeight {
  readonly info: TensorInfo
  /** For each row in Hugging Face's order, the row as stored; absent when the orders agree. */
  readonly rowOrder?: Int32Array
  /** Stored as the transpose of Hugging Face's matrix. */
  readonly isTransposed?: boolean
  /** Added to each stored element to get Hugging Face's (llama.cpp adds 1 to the norms of Gemma). */
  readonly offset?: number
}

/**
 * Rows of rotary pairs as llama.cpp stores them, back in halves: row (head, half, pair) is stored as (head, pair, half).
 *
 * @returns  [heads * headDim] stored row of each row
 */
export function rotaryRowOrder(heads: number, headDim: number): Int32Array {
  const order = new Int32Array(heads * headDim)
  const pairs = headDim / 2
  for (let row = 0; row < order.length; row++) {
    const head = Math.floor(row / headDim)
    const element = row % headDim
    order[row] = head * headDim + (element < pairs ? 2 * element : 2 * (element - pairs) + 1)
  }
  return order
}
