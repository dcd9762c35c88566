import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hadamardBlocks, hadamardMatrix, type Rotation, randomRotation, rowRotator } from '../src/index.ts'

/** x R as the definition says, `(x ∘ signs) (Q ⊗ H)`, element by element. */
function slowly(x: readonly number[], { width, blockSize, signs, mixing }: Rotation): number[] {
  const blocks = width / blockSize
  const hadamard = hadamardMatrix(blockSize)
  return Array.from({ length: width }, (_, to) => {
    let sum = 0
    for (let from = 0; from < width; from++) {
      const toBlock = Math.floor(to / blockSize)
      const fromBlock = Math.floor(from / blockSize)
      const q = mixing === undefined ? Number(toBlock === fromBlock) : (mixing[fromBlock * blocks + toBlock] ?? 0)
      sum += (x[from] ?? 0) * (signs?.[from] ?? 1) * q * (hadamard[(from % blockSize) * blockSize + (to % blockSize)] ?? 0)
    }
    return sum
  })
}

const rotations = fc
  .record({ power: fc.nat(9), odd: fc.constantFrom(1, 2, 3, 5, 7, 9, 15), seed: fc.nat(100), isPlain: fc.boolean() })
  .map(({ power, odd, seed, isPlain }) => {
    const width = 2 ** power * odd
    return isPlain ? hadamardBlocks(width, 64) : randomRotation(width, seed)
  })
  .filter((rotation) => rotation !== undefined)

function withRow(run: (rotation: Rotation, x: Float32Array) => void) {
  fc.assert(
    fc.property(rotations, fc.infiniteStream(fc.float({ min: -10, max: 10, noNaN: true })), (rotation, numbers) => {
      run(
        rotation,
        Float32Array.from({ length: rotation.width }, () => numbers.next().value),
      )
    }),
    { numRuns: 60 },
  )
}

describe('a rotation', () => {
  test('is the product with signs, Hadamard blocks and the mixing matrix', () => {
    withRow((rotation, x) => {
      const rows = x.slice()
      rowRotator(rotation)(rows, 0, 1)
      const expected = slowly([...x], rotation)
      expected.forEach((value, at) => {
        expect(Math.abs((rows[at] ?? 0) - value)).toBeLessThan(1e-4)
      })
    })
  })

  test('keeps lengths and inner products', () => {
    withRow((rotation, x) => {
      const y = Float32Array.from(x, (value, at) => Math.sin(value + at))
      const rows = new Float32Array(2 * rotation.width)
      rows.set(x)
      rows.set(y, rotation.width)
      rowRotator(rotation)(rows, 0, 2)
      const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
      const [a, b] = [rows.subarray(0, rotation.width), rows.subarray(rotation.width)]
      const size = 1 + Math.sqrt(product(x, x) * product(y, y))
      expect(Math.abs(product(a, b) - product(x, y)) / size).toBeLessThan(1e-5)
      expect(Math.abs(product(a, a) - product(x, x)) / (1 + product(x, x))).toBeLessThan(1e-5)
    })
  })

  test('multiplies by a scale first, and touches only the rows it is given', () => {
    withRow((rotation, x) => {
      const { width } = rotation
      const scale = Float32Array.from(x, (_, at) => 1 + (at % 3))
      const scaled = x.map((value, at) => value * (scale[at] ?? 0))
      rowRotator(rotation)(scaled, 0, 1)
      const rows = new Float32Array(3 * width).fill(7)
      rows.set(x, width)
      rowRotator(rotation, scale)(rows, width, 1)
      expect([...rows.subarray(0, width), ...rows.subarray(2 * width)].every((value) => value === 7)).toBe(true)
      rows.subarray(width, 2 * width).forEach((value, at) => {
        expect(Math.abs(value - (scaled[at] ?? 0))).toBeLessThan(1e-4)
      })
    })
  })

  test('spreads one large element over the whole row', () => {
    for (const width of [64, 576, 1536, 4096]) {
      const rotation = randomRotation(width, 1)
      expect(rotation).toBeDefined()
      if (rotation === undefined) return
      const row = new Float32Array(width)
      row[3] = Math.sqrt(width)
      rowRotator(rotation)(row, 0, 1)
      expect(Math.max(...row.map(Math.abs))).toBeLessThan(4)
    }
  })

  test('of a width with a large odd factor does not exist', () => {
    expect(randomRotation(2 * 67, 1)).toBeUndefined()
    expect(randomRotation(1, 1)).toBeUndefined()
    expect(hadamardBlocks(4 * 9, 64)).toBeUndefined()
    expect(hadamardBlocks(1536, 64)).toEqual({ width: 1536, blockSize: 64 })
  })

  test('is the same bits for the same seed, and another for another seed', () => {
    expect(randomRotation(576, 5)).toEqual(randomRotation(576, 5))
    expect(randomRotation(576, 5)?.signs).not.toEqual(randomRotation(576, 6)?.signs)
  })

  test('refuses a scale of another width', () => {
    expect(() => rowRotator({ width: 8, blockSize: 8 }, new Float32Array(7))).toThrow('7 values, expected 8')
  })
})
