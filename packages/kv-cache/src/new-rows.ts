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
}

export interface LayerRows {
  readonly keys: Float32Array
  readonly values: Float32Array
}

/** The shape of one layer's rows. */
export interface LayerShape {
  readonly kvHeads: number
  readonly keyDim: number
  readonly valueDim: number
}
