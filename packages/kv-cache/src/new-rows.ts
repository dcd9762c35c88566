/**
 * The rows that one step computed, before anybody decided which of them survive. Plain data; the arrays belong to the step
 * and may be read until the next step of the same model.
 */
export interface NewRows {
  /** Number of new rows, S. */
  readonly steps: number
  /** [S] absolute position of each row. */
  readonly positions: Int32Array
  /** One entry per layer: keys [S, kvHeads, keyDim] and values [S, kvHeads, valueDim], float32. */
  readonly layers: readonly LayerRows[]
  /** Length of the cache that the step read. States of recurrent layers count only for a cache that still has this length. */
  readonly past?: number
}

export interface LayerRows {
  readonly keys: Float32Array
  readonly values: Float32Array
  /** Of a recurrent layer. */
  readonly recurrent?: RecurrentRows
}

/** The shape of one layer's rows. */
export interface LayerShape {
  readonly kvHeads: number
  readonly keyDim: number
  readonly valueDim: number
  /** A layer that carries a state from row to row, beside its keys and values or instead of them (`kvHeads` 0). */
  readonly recurrent?: RecurrentShape
}

/** What a recurrent layer (a state space, gated linear attention) carries along. */
export interface RecurrentShape {
  /** Numbers that each row adds to what the recurrence reads. */
  readonly inputWidth: number
  /** Rows before its own that a row reads as well: 3 for a causal convolution over 4. */
  readonly window: number
  /** Numbers in the state. */
  readonly stateSize: number
}

/**
 * The new rows of a recurrent layer: what the recurrence reads of each, and states at the two places where a step knows them.
 * States are handed over: whoever made them does not write to them afterwards.
 */
export interface RecurrentRows {
  /** [S, inputWidth] */
  readonly inputs: Float32Array
  /** [stateSize] after the rows of the cache, before the new ones. */
  readonly stateBefore?: Float32Array
  /** [stateSize] after all S rows, each following the one before; absent where they do not (a tree). */
  readonly stateAfter?: Float32Array
}

/** A recurrent layer as a step reads it: a state, and the rows that have come since. */
export interface RecurrentView {
  /** [stateSize] */
  readonly state: Float32Array
  /** [window + tail, inputWidth] the rows before the state (zeros before the first row), and those after it. */
  readonly inputs: Float32Array
  /** Rows that the state has not gone through. */
  readonly tail: number
}
