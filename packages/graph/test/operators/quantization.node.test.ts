import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { at, checkOperator, floats, integers, plain, toPlain } from './check-operator.ts'

function roundToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1
}

const clamp = (x: number, least: number, most: number) => Math.min(Math.max(x, least), most)

test('quantizeLinear and dequantizeLinear by one scale, and by one per index of an axis', async () => {
  const x = floats([3, 4], 1, 40)
  const scales = { type: 'float32', dims: [3], values: [0.5, 1, 2] } as const
  const zeros = { type: 'uint8', dims: [3], values: [128, 100, 0] } as const
  const one = { type: 'float32', dims: [], values: [0.25] } as const
  const zero = { type: 'int8', dims: [], values: [3] } as const
  const perRow = plain([3, 4], ([i = 0, j = 0]) =>
    clamp(roundToEven(at(toPlain(x), [i, j]) / (scales.values[i] ?? 1)) + (zeros.values[i] ?? 0), 0, 255),
  )
  const whole = plain([3, 4], (index) => clamp(roundToEven(at(toPlain(x), index) / 0.25) + 3, -128, 127))
  await checkOperator({
    inputs: { x, scales, zeros, one, zero },
    build: (value) => {
      const rows = graph.quantizeLinear(value('x'), value('scales'), value('zeros'), { axis: 0 })
      return [
        rows,
        graph.quantizeLinear(value('x'), value('one'), value('zero')),
        graph.dequantizeLinear(rows, value('scales'), value('zeros'), { axis: -2 }),
      ]
    },
    expected: [perRow, whole, plain([3, 4], ([i = 0, j = 0]) => (at(perRow, [i, j]) - (zeros.values[i] ?? 0)) * (scales.values[i] ?? 1))],
    types: ['uint8', 'int8', 'float32'],
  })
})

test('dynamicQuantizeLinear takes scale and zero point from the least and the greatest', async () => {
  const x = floats([3, 4], 2)
  const most = Math.max(0, ...toPlain(x).values)
  const least = Math.min(0, ...toPlain(x).values)
  const scale = Math.fround((most - least) / 255)
  const zero = clamp(roundToEven(-least / scale), 0, 255)
  const expected = plain([3, 4], (index) => clamp(roundToEven(at(toPlain(x), index) / scale) + zero, 0, 255))
  await checkOperator({
    inputs: { x },
    build: (value) => graph.dynamicQuantizeLinear(value('x')),
    expected: [expected, { dims: [], values: [scale] }, { dims: [], values: [zero] }],
    types: ['uint8', 'float32', 'uint8'],
  })
})

const a = integers('uint8', [2, 3, 8], 0, 255)
const b = integers('uint8', [8, 5], 0, 255, 4)
const exact = plain([2, 3, 5], ([n = 0, i = 0, j = 0]) =>
  [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, k) => sum + (at(toPlain(a), [n, i, k]) - 128) * (at(toPlain(b), [k, j]) - 120), 0),
)
const zeroPoints = { az: { type: 'uint8', dims: [], values: [128] }, bz: { type: 'uint8', dims: [], values: [120] } } as const

test('matMulInteger is exact', async () => {
  await checkOperator({
    inputs: { a, b, ...zeroPoints },
    build: (value) => graph.matMulInteger(value('a'), value('b'), value('az'), value('bz')),
    expected: [exact],
    types: ['int32'],
    tolerance: 0,
  })
})

test('matMulIntegerToFloat multiplies the exact sums by the scales', async () => {
  const scale = { type: 'float32', dims: [], values: [0.5] } as const
  const columns = { type: 'float32', dims: [5], values: [1, 2, 0.25, 0.5, 4] } as const
  await checkOperator({
    inputs: { a, b, scale, columns, ...zeroPoints },
    build: (value) =>
      graph.matMulIntegerToFloat(value('a'), value('b'), value('scale'), value('columns'), {
        aZeroPoint: value('az'),
        bZeroPoint: value('bz'),
      }),
    expected: [plain([2, 3, 5], (index) => at(exact, index) * 0.5 * at(toPlain(columns), index))],
    tolerance: 0,
  })
})

test('dynamicQuantizeMatMul is the product within the error of eight bits', async () => {
  const x = floats([3, 8])
  const scale = { type: 'float32', dims: [1], values: [0.01] } as const
  const zero = { type: 'uint8', dims: [1], values: [120] } as const
  const expected = plain([3, 5], ([i = 0, j = 0]) =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, k) => sum + at(toPlain(x), [i, k]) * (at(toPlain(b), [k, j]) - 120) * 0.01, 0),
  )
  await checkOperator({
    inputs: { x, b, scale, zero },
    fixed: ['scale', 'zero'],
    build: (value) => graph.dynamicQuantizeMatMul(value('x'), value('b'), value('scale'), { bZeroPoint: value('zero') }),
    expected: [expected],
    tolerance: 0.08,
  })
})

test.each([4, 8] as const)('matMulNBits of %i bits with float activations is the de-quantised product', async (bits) => {
  const [outputs, inputs, blockSize] = [6, 64, 32]
  const x = floats([2, 3, inputs])
  const packed = integers('uint8', [outputs, 2, (blockSize * bits) / 8], 0, 255)
  const scales = { type: 'float32', dims: [outputs * 2], values: Array.from({ length: outputs * 2 }, (_, at) => (at + 1) / 64) } as const
  const element = (o: number, k: number) => {
    const block = Math.floor(k / blockSize)
    const within = k % blockSize
    const byte = at(toPlain(packed), [o, block, bits === 8 ? within : within >> 1])
    const q = bits === 8 ? byte : (byte >> (4 * (within & 1))) & 15
    return (q - 2 ** (bits - 1)) * (scales.values[o * 2 + block] ?? 0)
  }
  const expected = plain([2, 3, outputs], ([n = 0, i = 0, o = 0]) => {
    let sum = 0
    for (let k = 0; k < inputs; k++) sum += at(toPlain(x), [n, i, k]) * element(o, k)
    return sum
  })
  await checkOperator({
    inputs: { x, packed, scales },
    constants: ['packed', 'scales'],
    build: (value) =>
      graph.matMulNBits(graph.assumeDims(value('x'), [...value('x').dims.slice(0, 2), inputs]), value('packed'), value('scales'), {
        outputs,
        inputs,
        bits,
        blockSize,
        accuracyLevel: 1,
      }),
    expected: [expected],
  })
})

test('gatherBlockQuantized gives de-quantised rows', async () => {
  const table = integers('uint8', [5, 64], 0, 255)
  const scales = { type: 'float32', dims: [5, 2], values: Array.from({ length: 10 }, (_, at) => (at + 1) / 64) } as const
  const ids = integers('int64', [2, 3], 0, 4)
  const zeros = { type: 'uint8', dims: [5, 2], values: new Array<number>(10).fill(128) } as const
  const expected = plain([2, 3, 64], ([i = 0, j = 0, k = 0]) => {
    const id = at(toPlain(ids), [i, j])
    return (at(toPlain(table), [id, k]) - 128) * at(toPlain(scales), [id, Math.floor(k / 32)])
  })
  await checkOperator({
    inputs: { table, ids, scales, zeros },
    constants: ['table', 'scales', 'zeros'],
    build: (value) =>
      graph.gatherBlockQuantized(value('table'), value('ids'), value('scales'), { bits: 8, blockSize: 32, zeroPoints: value('zeros') }),
    expected: [expected],
  })
})

test('packed weights of another size or type are refused by name', () => {
  const g = new Graph({ name: 'wrong' })
  const x = g.input('hidden', 'float32', ['steps', 64])
  const packed = g.input('packed', 'uint8', [6, 2, 32])
  const scales = g.input('scales', 'float32', [12])
  expect(() => graph.matMulNBits(x, packed, scales, { outputs: 6, inputs: 64, bits: 4, blockSize: 32 })).toThrow(
    /MatMulNBits .*weight = packed: uint8 \[6, 2, 32\].*weight to be \[6, 2, 16\]/,
  )
  expect(() => graph.matMulInteger(x, packed)).toThrow(/MatMulInteger .*a to be uint8, int8/)
  expect(() => graph.quantizeLinear(x, scales, g.input('zero', 'uint8', [12]), { axis: 1 })).toThrow(/QuantizeLinear .*scale to be \[64\]/)
})
