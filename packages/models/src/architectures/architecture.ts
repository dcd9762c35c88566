/**
 * What one architecture file provides: which `model_type` it reads, how a configuration becomes a description, and how the
 * description builds its graph. An architecture knows nothing of files, formats, caches or sessions.
 */
import type { MetadataValue } from '@foretoken/weights'
import type { Alibi } from '../blocks/alibi.ts'
import type { ModelConfig } from '../causal-lm.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import type { Decoder } from '../decoder/decoder.ts'
import type { Rope } from '../rope/rope.ts'

export interface Architecture {
  /** Values of `model_type` in config.json. */
  readonly modelTypes: readonly string[]
  /** First part of the names, which checkpoints of the model without its head leave out (`transformer.`). */
  readonly optionalPrefix?: string
  /** Reads the configuration; refuses what contradicts itself or is not built. */
  describe(config: ConfigReader): DecoderDescription
  /** How llama.cpp's files name the same things; absent when it has no such architecture. */
  readonly gguf?: GgufMapping
}

export interface DecoderDescription {
  readonly config: ModelConfig
  readonly layers: readonly LayerDescription[]
  /** Whether `build` asks for positions (learned position embeddings); none from `config.maxPositions` on can be run then. */
  readonly readsPositions?: boolean
  /** Tensors that the architecture knows and does not use; the plan says how many and why. */
  readonly passedOver?: readonly PassedOverTensors[]
  /** What a reader of the plan should know of how it is built. */
  readonly notes?: readonly string[]
  /**
   * Whether the residual stream may be multiplied by an orthogonal matrix (`../decoder/basis.ts`): everything reads it through an RMS norm and a
   * product, and everything that is added to it comes out of a product, scaled by one number for a row at most.
   */
  readonly allowsRotation?: boolean
  /** Emits the graph from the embeddings to the logits. */
  build(decoder: Decoder): void
}

/** E.g. the vision tower of a checkpoint whose language model is run. */
export interface PassedOverTensors {
  readonly names: RegExp
  /** What they are and why they are not used. */
  readonly reason: string
}

/** What the cache and the masks have to know of a layer: its attention, or with `heads` 0 its recurrence. */
export interface LayerDescription {
  readonly heads: number
  readonly kvHeads: number
  readonly keyDim: number
  readonly valueDim: number
  /** A query sees itself and this many minus one positions before it; absent: all. */
  readonly window?: number
  /** A bias on the scores by head and distance, instead of position embeddings. */
  readonly alibi?: Alibi
  /** One key for all heads, whose first part is the value: heads are rows, and masks are not repeated for them. */
  readonly isLatent?: boolean
  /** Absent where the layer has no rotary embedding. Layers that share a rope share the object. */
  readonly rope?: Rope
  /** Of a layer that carries a state instead of attending; its heads and widths above are 0. */
  readonly recurrent?: RecurrentLayer
}

export interface RecurrentLayer {
  /** Numbers that the recurrence and its convolution read of each row. */
  readonly inputWidth: number
  /** Rows before its own that the convolution reads. */
  readonly window: number
  readonly stateDims: readonly number[]
}

export interface GgufMapping {
  /** Values of `general.architecture`. */
  readonly architectures: readonly string[]
  /** Where several architectures go by one name: whether this is the one that the file means. */
  appliesTo?(metadata: GgufMetadata): boolean
  /** The same configuration in the words of config.json. */
  config(metadata: GgufMetadata): Record<string, unknown>
  /** Where the tensor that Hugging Face calls `name` is found. */
  tensor(name: string, config: ModelConfig): GgufTensor | undefined
}

export interface GgufTensor {
  readonly name: string
  /** Rows of each head are stored as interleaved rotary pairs: which of the config's head counts applies. */
  readonly permutedHeads?: 'heads' | 'kvHeads'
  /** For each row in Hugging Face's order, the row as stored, where another order than that of rotary pairs applies. */
  readonly rowOrder?: Int32Array
  /** Stored as the transpose of Hugging Face's matrix. */
  readonly isTransposed?: boolean
  /** Added to each stored element to get Hugging Face's. */
  readonly offset?: number
}

/** Metadata of a GGUF file below the prefix of its architecture. */
export interface GgufMetadata {
  readonly architecture: string
  get(key: string): MetadataValue | undefined
  /** A key below `<architecture>.`. */
  count(key: string): number | undefined
  number(key: string): number | undefined
  string(key: string): string | undefined
  has(tensor: string): boolean
  /** Elements of the small rope tensors (`rope_freqs.weight`, `rope_factors_*.weight`) as numbers. */
  vector(tensor: string): readonly number[] | undefined
  /** Shape of a tensor, slowest dimension first. */
  shape(tensor: string): readonly number[] | undefined
}
