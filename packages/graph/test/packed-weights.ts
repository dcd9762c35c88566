import type { LinearWeight } from '@foretoken/graph'
import type { LinearFormat, PackedLinear } from '@foretoken/tensor'

/** Whole numbers from a seed: enough for test data, the same everywhere. */
export function createNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

export interface PackedExample {
  readonly weight: LinearWeight
  /** [outputs][inputs]: what the packed form stands for, in exact numbers. */
  readonly dense: readonly (readonly number[])[]
  /** Loads that have happened. */
  readonly loads: () => number
}

/** A weight with random packed contents, and the matrix that the agreement in `linear-weight.ts` says it stands for. */
export function createWeight(name: string, outputs: number, inputs: number, format: LinearFormat, seed = 1): PackedExample {
  const next = createNumbers(seed)
  const dense = Array.from({ length: outputs }, () => new Array<number>(inputs).fill(0))
  const packed = pack(outputs, inputs, format, next, dense)
  let loads = 0
  const load = async () => {
    loads++
    return packed
  }
  return { weight: { name, outputs, inputs, format, load }, dense, loads: () => loads }
}

function pack(outputs: number, inputs: number, format: LinearFormat, next: () => number, dense: number[][]): PackedLinear {
  const set = (output: number, input: number, value: number) => {
    const row = dense[output]
    if (row !== undefined && input < inputs) row[input] = value
  }
  if (format.kind === 'f32') {
    const values = new Float32Array(inputs * outputs)
    for (let index = 0; index < values.length; index++) {
      values[index] = next() - 0.5
      set(index % outputs, Math.floor(index / outputs), values[index] ?? 0)
    }
    return { format, outputs, inputs, parts: { values } }
  }
  if (format.kind === 'int8-rows') {
    const scales = Float32Array.from({ length: outputs }, () => 0.01 + next() * 0.01)
    const values = format.isSigned ? new Int8Array(inputs * outputs) : new Uint8Array(inputs * outputs)
    for (let index = 0; index < values.length; index++) {
      // signed ones within ±63: pairs of larger ones saturate on processors without VNNI
      const step = format.isSigned ? Math.floor(next() * 127) - 63 : Math.floor(next() * 255) - 127
      values[index] = format.isSigned ? step : step + 128
      set(index % outputs, Math.floor(index / outputs), step * (scales[index % outputs] ?? 0))
    }
    return { format, outputs, inputs, parts: { values, scales } }
  }
  const { bits, blockSize, hasMinima } = format
  const blocks = Math.ceil(inputs / blockSize)
  const zeroPoint = 2 ** (bits - 1)
  const blockBytes = (blockSize * bits) / 8
  const values = new Uint8Array(outputs * blocks * blockBytes)
  const scales = Float32Array.from({ length: outputs * blocks }, () => 0.01 + next() * 0.01)
  const corrections = Float32Array.from({ length: outputs * blocks }, () => (hasMinima ? next() * 0.1 : 0))
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < blocks * blockSize; input++) {
      const q = input < inputs ? Math.floor(next() * 2 ** bits) : zeroPoint
      const block = Math.floor(input / blockSize)
      const within = input % blockSize
      const at = (output * blocks + block) * blockBytes + (bits === 8 ? within : within >> 1)
      values[at] = (values[at] ?? 0) | (bits === 8 ? q : q << (4 * (within & 1)))
      set(output, input, (q - zeroPoint) * (scales[output * blocks + block] ?? 0) + (corrections[block * outputs + output] ?? 0))
    }
  }
  return { format, outputs, inputs, parts: hasMinima ? { values, scales, corrections } : { values, scales } }
}
