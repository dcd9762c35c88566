import { describe, expect, test } from 'vitest'
import { configReader } from '../../src/config/config-reader.ts'
import { rotaryTables } from '../../src/rope/rope.ts'
import { readRope } from '../../src/rope/rope-kinds.ts'
import { fixtureTensor, fixtureText } from '../fixture-bytes.ts'

interface KindFixture {
  readonly ropeParameters: Record<string, unknown>
  readonly maxPositionEmbeddings: number
  readonly sequenceLength: number | null
  readonly rotaryWidth: number
  readonly attentionFactor: number
}

const { parameters } = JSON.parse(await fixtureText('rope-kinds.json')) as {
  parameters: { headDim: number; positions: number[]; kinds: Record<string, KindFixture> }
}
// "proportional" is no kind of the architectures that are built here
const kinds = Object.entries(parameters.kinds).filter(([, { ropeParameters }]) => ropeParameters.rope_type !== 'proportional')

const vector = (name: string) => fixtureTensor('rope-kinds.safetensors', name)

describe.each(kinds)('%s', (name, kind) => {
  const config = configReader({ rope_parameters: kind.ropeParameters }, 'config.json')
  const rope = readRope(config, { headDim: parameters.headDim, maxPositions: kind.maxPositionEmbeddings })
  const sequenceLength = kind.sequenceLength ?? 1

  test('rotates the expected width with the expected factor', () => {
    expect(rope.rotaryDim).toBe(kind.rotaryWidth)
    expect(rope.attentionFactor).toBeCloseTo(kind.attentionFactor, 12)
  })

  test('has the frequencies of the reference, to a rounding of float32', async () => {
    const expected = await vector(`${name}.inverseFrequencies`)
    const found = rope.inverseFrequencies(sequenceLength)
    expect(found.length).toBe(expected.length)
    for (let pair = 0; pair < expected.length; pair++) {
      expect(Math.abs((found[pair] ?? 0) / (expected[pair] ?? 1) - 1)).toBeLessThan(1e-6)
    }
  })

  test('has the tables of the reference at positions up to 4,095', async () => {
    const positions = Int32Array.from(parameters.positions)
    const { cos, sin } = rotaryTables(rope, positions, sequenceLength)
    const pairs = kind.rotaryWidth / 2
    for (const [values, expected] of [
      [cos, await vector(`${name}.cos`)],
      [sin, await vector(`${name}.sin`)],
    ] as const) {
      for (let row = 0; row < positions.length; row++) {
        for (let pair = 0; pair < pairs; pair++) {
          // an angle of 4,095 radians is known to 2.4e-4 in float32 when its frequency is off by one unit in the last place
          const tolerance = 1e-6 + (positions[row] ?? 0) * 1.5e-7
          expect(Math.abs((values[row * pairs + pair] ?? 0) - (expected[row * 2 * pairs + pair] ?? 0))).toBeLessThan(tolerance)
        }
      }
    }
  })
})

test('an unknown kind is refused with the known ones', () => {
  const config = configReader({ rope_scaling: { rope_type: 'spiral', factor: 2 } }, 'config.json')
  expect(() => readRope(config, { headDim: 32, maxPositions: 64 })).toThrow(
    /rope_scaling.rope_type.*"spiral".*default, linear, dynamic, yarn, llama3, longrope/,
  )
})

test('longrope with the wrong number of factors is refused', () => {
  const config = configReader({ rope_scaling: { type: 'su', short_factor: [1, 2], long_factor: [1, 2] } }, 'config.json')
  expect(() => readRope(config, { headDim: 32, maxPositions: 64 })).toThrow(/short_factor.*2 factors.*16/)
})
