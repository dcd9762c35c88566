/**
 * Rows of small numbers, the same on every machine, for trying and timing steps. A multiplicative generator (Lehmer 1951, modulus 2^31 - 1) makes
 * a prime number of them, which are repeated, so that hardly two rows of a cache are alike: millions of draws would take longer than what they are for.
 */
import type { KvCache } from '@foretoken/kv-cache'

const PERIOD = 65_521

/** Appends a row for each position. */
export function appendNoise(cache: KvCache, positions: Int32Array): void {
  const rows = positions.length
  const period = lehmerNumbers(PERIOD)
  let drawn = 0
  const draw = (length: number): Float32Array => {
    const noise = new Float32Array(length)
    for (let at = 0; at < length; ) {
      const from = drawn % PERIOD
      const taken = Math.min(length - at, PERIOD - from)
      noise.set(period.subarray(from, from + taken), at)
      at += taken
      drawn += taken
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

/** Numbers in [-0.5, 0.5). */
function lehmerNumbers(count: number): Float32Array {
  const numbers = new Float32Array(count)
  for (let at = 0, state = 1; at < count; at++) {
    state = (state * 48271) % 0x7fffffff
    numbers[at] = state / 0x7fffffff - 0.5
  }
  return numbers
}
