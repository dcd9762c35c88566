import type { KvCache, NewRows } from '@foretoken/kv-cache'
import type { Tensor } from '@foretoken/tensor'
import type { Tokenizer } from '@foretoken/tokenizers'
import type { StepTime } from './step-times.ts'

/**
 * An open language model. `forward` is the one call that touches a session: it reads the cache, computes S new rows, and returns
 * what was asked for. Which rows survive is the caller's decision (`cache.append(result.rows, accepted)`), and that is the whole
 * of cache rollback, for plain decoding as well as for drafts.
 */
export interface CausalLM extends AsyncDisposable {
  readonly config: ModelConfig
  readonly capabilities: Capabilities
  /** What was chosen at load (formats, layout, threads) and why. */
  readonly plan: Plan
  /** Absent when the checkpoint came without tokenizer files. */
  readonly tokenizer?: Tokenizer
  /** Defaults for generation that the checkpoint ships (`generation_config.json`). */
  readonly generationDefaults: GenerationDefaults
  /** An empty cache of this model's shape. */
  createCache(): KvCache
  /**
   * Calls are queued. Single rows of several caches that wait at the same time share a run where rows are the same bits alone and together
   * (`plan.exact`, `capabilities.sharedSteps`), so that loops beside each other read the weights once; nothing else about them changes.
   */
  forward(step: DecodeStep): Promise<StepResult>
  /**
   * Several sequences, each with its own cache. Row for row the same bits as `forward` on each alone (where `plan.exact`). Single rows
   * that want the same share a run; other steps run one after another. Rejects when all have ended and one of them failed.
   */
  forwardBatch(steps: readonly DecodeStep[]): Promise<readonly StepResult[]>
  /** Largest number of rows in a step after this cache for which rows are the same bits as in steps of one (see `plan.exact`). */
  maxSteps(cache: KvCache): number
  memory(): MemoryUse
}

export interface DecodeStep {
  /** [S] token ids, or their embeddings [S, hidden]. */
  readonly tokens: Int32Array | Float32Array
  /** [S] absolute positions; when absent they follow `cache.nextPosition`. */
  readonly positions?: Int32Array
  /** Who sees whom among the new rows; causal when absent. Every new row sees the whole cache (within the layer's window). */
  readonly visibility?: Visibility
  /** Read only during the step. */
  readonly cache: KvCache
  /**
   * Length of the prompt that the step is a part of. Only ropes that depend on it look at it (dynamic, longrope); without it each row
   * counts as the last of its sequence, as in decoding.
   */
  readonly sequenceLength?: number
  readonly want: Want
  /**
   * Scales of runtime adapters for this step, by name; those that are not named keep the scale that they were loaded with, 0 switches one
   * off. A cache holds the rows of the scales that it was filled with.
   */
  readonly adapters?: Readonly<Record<string, number>>
  /** An abort before the run starts rejects; the cache is untouched in any case. */
  readonly signal?: AbortSignal
}

export type Visibility =
  | { readonly kind: 'causal' }
  /** [S] index of each row's parent, -1 for a root; parents come first. A row sees itself and its ancestors. */
  | { readonly kind: 'tree'; readonly parents: Int32Array }
  /** [S] block of each row. A row sees all rows of its own and of lower blocks (both directions inside a block). */
  | { readonly kind: 'block'; readonly blocks: Int32Array }
  /** [S, S] row-major, 1 where row i sees row j; the diagonal must be 1. */
  | { readonly kind: 'dense'; readonly visible: Uint8Array }

export interface Want {
  /** Logits of the last row, of all rows, or of the rows with these indices. */
  readonly logits?: 'last' | 'all' | Int32Array
  /** The k best tokens of the same rows, chosen inside the graph; without `logits`, of the last row. */
  readonly topK?: number
  /** Hidden states to return, by index: 0 is the embeddings, i the output of layer i, `layers` before the final norm, 'final' after it. */
  readonly hidden?: readonly (number | 'final')[]
  /** Attention probabilities of every layer: [heads, S, past + S]. */
  readonly scores?: 'all'
}

export interface StepResult {
  /** [rows wanted, vocab] float32. */
  readonly logits?: Tensor<'float32'>
  /** Values [rows wanted, k] and token ids [rows wanted, k], best first. */
  readonly topK?: { readonly values: Float32Array; readonly tokens: Int32Array; readonly k: number }
  /** In the order of `want.hidden`, each [S, hidden]. */
  readonly hidden?: readonly Tensor<'float32'>[]
  /** One per layer: [heads, S, past + S]. */
  readonly scores?: readonly Tensor<'float32'>[]
  /** The new rows of keys and values. */
  readonly rows: NewRows
  readonly elapsedMs: number
}

export interface ModelConfig {
  readonly modelType: string
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly vocab: number
  /** Longest context the checkpoint was made for; Infinity where nothing ends it (a dynamic rope, a recurrent state). */
  readonly maxPositions: number
  /**
   * Length beyond which the rope jumps to other frequencies (LongRoPE): rows cached for a sequence up to this length are those of
   * another rope than longer sequences have, and have to be computed again when it is crossed.
   */
  readonly ropeSwitch?: number
  readonly tiedEmbeddings: boolean
  /** [logits] ascending ids of the logits, where the model was opened with a part of its head (`headTokens`); absent: logits of all tokens. */
  readonly headTokens?: Int32Array
}

export interface Capabilities {
  readonly treeVisibility: boolean
  /** Whether rows may see each other in blocks or by a dense mask; true when absent. Recurrent layers cannot look back and forth. */
  readonly blockVisibility?: boolean
  readonly embeddingsInput: boolean
  readonly hiddenStates: boolean
  readonly attentionScores: boolean
  readonly topK: boolean
  /** Whether single rows of several sequences share a run; false when absent. Recurrent layers carry a state each: they run one after another. */
  readonly sharedSteps?: boolean
}

export interface GenerationDefaults {
  readonly endOfText: readonly number[]
  readonly beginningOfText?: number
  readonly padding?: number
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
}

/** Lines for people and numbers for programs: what runs where, in which format, and why. */
export interface Plan {
  readonly runtime: string
  readonly provider: string
  readonly threads: number
  /** Formats by role, e.g. `{ linear: 'int8-rows', head: 'int8-rows', embedding: 'f32' }`. */
  readonly formats: Readonly<Record<string, string>>
  /** Whether rows of a step were seen to be the same bits as rows of single steps, by a self-test at load. */
  readonly exact: boolean
  /** How long steps take here, where that was measured: at the first start with weights that are kept, or an earlier one. */
  readonly stepTimes?: readonly StepTime[]
  readonly notes: readonly string[]
}

/** Bytes by part. */
export interface MemoryUse {
  readonly weightsBytes: number
  readonly graphBytes: number
  readonly cacheBytes: number
}
