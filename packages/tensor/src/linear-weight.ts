/**
 * The packed forms of a linear layer's weight `[outputs, inputs]`: what a quantiser produces and what the graph's
 * linear operator reads. Both sides live in other packages; this file is their agreement, byte for byte.
 *
 * | kind | parts |
 * | --- | --- |
 * | `f32` | `values` float32 [inputs, outputs] |
 * | `int8-rows` | `values` uint8 [inputs, outputs] with zero point 128, or int8 without one where the format is signed; `scales` float32 [outputs] |
 * | `blocks` | `values` uint8 [outputs, blocks, blockSize * bits / 8], zero point 2^(bits-1), low nibble first; `scales` float32 [outputs * blocks]; with minima: `corrections` float32 [blocks, outputs] |
 *
 * A block element is `scale * (q - zeroPoint) + correction`. A format that stores `scale * q + minimum` (Q4_1) is the same with
 * `correction = minimum + zeroPoint * scale`, so it is kept exactly. Inputs need not fill the last block: pad with the zero point.
 */
export type LinearFormat =
  | { readonly kind: 'f32' }
  | {
      readonly kind: 'int8-rows'
      /** Whether the integers are int8: quicker where the processor multiplies them without saturation, wrong where it does not. */
      readonly isSigned?: boolean
    }
  | {
      readonly kind: 'blocks'
      readonly bits: 4 | 8
      readonly blockSize: 16 | 32 | 64 | 128
      readonly hasMinima: boolean
    }

export type LinearPart = 'values' | 'scales' | 'corrections'

/** A weight in one of the formats, ready to become initialisers. */
export interface PackedLinear {
  readonly format: LinearFormat
  readonly outputs: number
  readonly inputs: number
  /** Exactly the parts that the format names, with the element types and dimensions given above. */
  readonly parts: {
    readonly values: Float32Array | Uint8Array | Int8Array
    readonly scales?: Float32Array
    readonly corrections?: Float32Array
  }
}
