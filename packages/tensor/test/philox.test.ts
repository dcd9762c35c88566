import { philox } from '@foretoken/tensor'
import fc from 'fast-check'
import { expect, test } from 'vitest'

/** The definition of the paper in whole-number arithmetic, without regard for speed. */
function slowPhilox(counter: readonly number[], key: readonly number[]): number[] {
  const word = 0xffffffffn
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint]
  let [k0, k1] = key.map(BigInt) as [bigint, bigint]
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * c0
    const second = 0xcd9e8d57n * c2
    const next = [(second >> 32n) ^ c1 ^ k0, second & word, (first >> 32n) ^ c3 ^ k1, first & word] as const
    ;[c0, c1, c2, c3] = next
    k0 = (k0 + 0x9e3779b9n) & word
    k1 = (k1 + 0xbb67ae85n) & word
  }
  return [c0, c1, c2, c3].map(Number)
}

function fastPhilox([c0 = 0, c1 = 0, c2 = 0, c3 = 0]: readonly number[], [k0 = 0, k1 = 0]: readonly number[]): number[] {
  const block = new Uint32Array(4)
  philox(c0, c1, c2, c3, k0, k1, block)
  return Array.from(block)
}

// From the file kat_vectors of Random123, lines "philox4x32 10".
test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('the published answer for counter %j and key %j is %j', (counter, key, expected) => {
  expect(fastPhilox(counter, key)).toEqual(expected)
  expect(slowPhilox(counter, key)).toEqual(expected)
})

test('every block is that of whole-number arithmetic', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff })
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
      expect(fastPhilox(counter, key)).toEqual(slowPhilox(counter, key))
    }),
    { numRuns: 2000 },
  )
})
