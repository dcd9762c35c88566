/**
 * Rotary position embedding: pair i of a head is turned by the angle `position * inverseFrequency[i]`. The kinds differ in the
 * frequencies only, and two of them (dynamic, longrope) in how these depend on the length of the sequence being run.
 * Frequencies are rounded to float32 and so are the angles, as the reference does; cos and sin are then taken in float64.
 */
export interface Rope {
  readonly kind: string
  /** Elements of a head that are rotated; the rest passes. Even. */
  readonly rotaryDim: number
  /** Neighbours (2i, 2i + 1) form a pair instead of the halves (i, i + rotaryDim / 2). */
  readonly isInterleaved: boolean
  /** Sequences longer than this have other frequencies (longrope with two lists); absent where the frequencies never jump. */
  readonly switchLength?: number
  /** Multiplies cos and sin. */
  readonly attentionFactor: number
  /**
   * [rotaryDim / 2] radians per position.
   *
   * @param sequenceLength  length of the whole sequence that the step belongs to; only dynamic and longrope look at it
   */
  inverseFrequencies(sequenceLength: number): Float32Array
}

/**
 * cos and sin for the given positions, each [steps, rotaryDim / 2] float32.
 *
 * @param sequenceLength  length of the whole sequence; when absent, each row is taken as the last of its own, so that a row does not
 *                        depend on those beside it
 */
export function rotaryTables(rope: Rope, positions: Int32Array, sequenceLength?: number): { cos: Float32Array; sin: Float32Array } {
  const pairs = rope.rotaryDim / 2
  const cos = new Float32Array(positions.length * pairs)
  const sin = new Float32Array(positions.length * pairs)
  for (let row = 0, at = 0; row < positions.length; row++) {
    const position = positions[row] ?? 0
    const frequencies = rope.inverseFrequencies(sequenceLength ?? position + 1)
    for (let pair = 0; pair < pairs; pair++, at++) {
      const angle = Math.fround(position * (frequencies[pair] ?? 0))
      cos[at] = Math.cos(angle) * rope.attentionFactor
      sin[at] = Math.sin(angle) * rope.attentionFactor
    }
  }
  return { cos, sin }
}
