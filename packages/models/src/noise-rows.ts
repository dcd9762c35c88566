/**
 * Rows of small numbers, the same on every machine, for trying and timing steps. A multiplicative generator (Lehmer 1951, modulus 2^31 - 1) in a
 * plain loop: three million numbers of the common random stream would take longer than what they are for.
 */
import type { KvCache } from '@foretoken/kv-cache'

/** Appends a row for each position. */
export function appendNoise(cache: KvCache, positions: Int32Array): void {
  const rows = positions.length
  let state = 1
  const draw = (length: number): Float32Array => {
    const noise = new Float32Array(length)
    for (let at = 0; at < length; at++) {
      state = (state * 48271) % 0x7fffffff
      noise[at] = state / 0x7fffffff - 0.5
    }
    return noise
  }
  cache.append({
    steps: rows,
    positions,
    past: cache.length,
    layers: cache.layers.map(({ kvHeads, keyDim, valueDim, recurrent }) => ({
      keys: draw(rows * kvHeads * keyDim),
      values: draw(rows * kvHeads * valueDim),
      ...(recurrent === undefined
        ? {}
        : { recurrent: { inputs: draw(rows * recurrent.inputWidth), stateAfter: draw(recurrent.stateSize) } }),
    })),
  })
}
