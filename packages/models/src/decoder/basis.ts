/**
 * In which basis the rows of a value are. A model of RMS norms gives the same logits when its whole residual stream is multiplied by an
 * orthogonal matrix R: the norms see only lengths, once their scales are multiplied into the weights that read them, and every weight that reads
 * the stream or adds to it is multiplied by R in advance (Ashkboos et al. 2024, SliceGPT and QuaRot). What it is for: a few of the stream's
 * channels are hundreds of times larger than the others; in a rotated stream all are alike, and one scale for a row of integers is enough.
 *
 * | value | basis |
 * | --- | --- |
 * | the stream, from the embeddings on | R, by one small product; embeddings that are fed as well |
 * | what a norm gives of it | R, without the scale of the norm |
 * | the input of a feed-forward block's last product | Hadamard blocks, by one small product: its outliers are in the activations |
 * | what a product adds to the stream | R, by the weight and its bias |
 * | everything else, and hidden states that are returned | as trained |
 *
 * A product asks the binder for its input's basis and gets the weight that undoes it. An architecture allows it by `allowsRotation`.
 */
import type { Rotation } from '@foretoken/tensor'

export interface Basis {
  readonly rotation?: Rotation
  /** The scale of a norm that the rows were not multiplied by. */
  readonly scale?: NormScale
}

export interface NormScale {
  readonly weight: string
  /** Added to the stored scale. */
  readonly offset?: number
}

/** Blocks of the input of the last product of a feed-forward block: wider ones gain less than the noise. */
export const WIDEST_INNER_BLOCK = 64

/** Two bases with one key are the same: a model has one rotation of each width and form. */
export function basisKey(basis: Basis | undefined): string {
  if (basis === undefined) return ''
  const { rotation, scale } = basis
  return [rotation?.width, rotation?.blockSize, rotation?.signs === undefined, scale?.weight, scale?.offset].join()
}
