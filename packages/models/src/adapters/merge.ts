/** Adding adapters to a weight before it is packed: W + factor * B A, summed in float64 and rounded once. */
import { decodeToFloat32, type StoredTensor } from '@foretoken/weights'
import type { LoraPair } from './lora-adapter.ts'

export interface Delta {
  readonly pair: LoraPair
  readonly factor: number
}

/** How the weight lies in the file. */
export interface StoredLayout {
  readonly outputs: number
  readonly inputs: number
  /** As [inputs, outputs]. */
  readonly isTransposed: boolean
  /** For each row of the model's order the row as stored. */
  readonly rowOrder?: Int32Array
}

export function mergedWeight(stored: StoredTensor, deltas: readonly Delta[], layout: StoredLayout): StoredTensor {
  const { outputs, inputs, isTransposed, rowOrder } = layout
  const weight = decodeToFloat32(stored)
  const sums = new Float64Array(inputs)
  for (let row = 0; row < outputs; row++) {
    const storedRow = rowOrder?.[row] ?? row
    const start = isTransposed ? storedRow : storedRow * inputs
    const stride = isTransposed ? outputs : 1
    for (let column = 0; column < inputs; column++) sums[column] = weight[start + column * stride] ?? 0
    for (const { pair, factor } of deltas) {
      const { rank, up, down } = pair
      for (let term = 0; term < rank; term++) {
        const coefficient = (up[row * rank + term] ?? 0) * factor
        const from = term * inputs
        for (let column = 0; column < inputs; column++) sums[column] = (sums[column] ?? 0) + coefficient * (down[from + column] ?? 0)
      }
    }
    for (let column = 0; column < inputs; column++) weight[start + column * stride] = sums[column] ?? 0
  }
  const bytes = new Uint8Array(weight.buffer, weight.byteOffset, weight.byteLength)
  return { info: { ...stored.info, encoding: 'F32', byteLength: bytes.byteLength }, shape: stored.shape, bytes }
}
