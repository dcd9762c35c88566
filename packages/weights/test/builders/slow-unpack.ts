/** A slow reading of packed weights, element by element, straight from the table in `linear-weight.ts` of the tensor package. */
import type { PackedLinear } from '@foretoken/tensor'

/** [outputs, inputs] float32; one rounding for the product, one for the correction. */
export function slowUnpack({ format, outputs, inputs, parts }: PackedLinear): Float32Array {
  const { values, scales = [], corrections } = parts
  const unpacked = new Float32Array(outputs * inputs)
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const to = output * inputs + input
      if (format.kind === 'f32') unpacked[to] = at(values, input * outputs + output)
      else if (format.kind === 'int8-rows')
        unpacked[to] = at(scales, output) * (at(values, input * outputs + output) - (format.isSigned ? 0 : 128))
      else {
        const { bits, blockSize } = format
        const blocks = Math.ceil(inputs / blockSize)
        const block = Math.floor(input / blockSize)
        const place = output * blocks * blockSize + input
        const quant = bits === 8 ? at(values, place) : (at(values, Math.floor(place / 2)) >> (4 * (place % 2))) & 15
        const product = Math.fround(at(scales, output * blocks + block) * (quant - 2 ** (bits - 1)))
        unpacked[to] = corrections === undefined ? product : product + at(corrections, block * outputs + output)
      }
    }
  }
  return unpacked
}

function at(values: ArrayLike<number>, index: number): number {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no value at ${index}`)
  return value
}
