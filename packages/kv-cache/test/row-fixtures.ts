import type { LayerShape, NewRows } from '@foretoken/kv-cache'

/** Layers that differ in every way the cache allows, including one without rows of its own and one with keys only. */
export const LAYERS: readonly LayerShape[] = [
  { kvHeads: 2, keyDim: 3, valueDim: 3 },
  { kvHeads: 1, keyDim: 4, valueDim: 2 },
  { kvHeads: 0, keyDim: 3, valueDim: 3 },
  { kvHeads: 1, keyDim: 5, valueDim: 0 },
]

/** Rows whose every element is another bit pattern, denormals and NaNs among them. */
export function distinctRows(layers: readonly LayerShape[], positions: readonly number[], seed: number): NewRows {
  const steps = positions.length
  let state = (seed * 0x9e3779b9) >>> 0
  const fill = (elements: number) => {
    const bits = new Uint32Array(elements)
    for (let i = 0; i < elements; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      bits[i] = state
    }
    return new Float32Array(bits.buffer)
  }
  return {
    steps,
    positions: Int32Array.from(positions),
    layers: layers.map(({ kvHeads, keyDim, valueDim }) => ({
      keys: fill(steps * kvHeads * keyDim),
      values: fill(steps * kvHeads * valueDim),
    })),
  }
}

export function bitsOf(values: Float32Array): number[] {
  return Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length))
}
