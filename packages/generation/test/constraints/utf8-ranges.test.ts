import { expect, test } from 'vitest'
import { utf8Sequences } from '../../src/constraints/utf8-ranges.ts'
import { uniformFrom } from './small-vocabulary.ts'

const BORDERS = [0, 1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdfff, 0xe000, 0xffff, 0x10000, 0x10ffff]

test('a range of code points matches their bytes and those of no other', () => {
  const uniform = uniformFrom(7)
  const random = () => Math.floor(uniform() * 0x110000)
  const ranges = [
    ...BORDERS.flatMap((low) => BORDERS.filter((high) => high >= low).map((high) => [low, high] as const)),
    [random(), random()] as const,
  ]
  const points = [...BORDERS.flatMap((point) => [point - 1, point, point + 1]), ...Array.from({ length: 200 }, random)].filter(
    (point) => point >= 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff),
  )
  for (const [low, high] of ranges) {
    const sequences = utf8Sequences([[low, high]])
    for (const point of points) {
      const bytes = new TextEncoder().encode(String.fromCodePoint(point))
      const matches = sequences.filter(
        (sequence) =>
          sequence.length === bytes.length && sequence.every(([from, to], i) => from <= (bytes[i] ?? 0) && (bytes[i] ?? 0) <= to),
      )
      expect(matches.length, `${point} in ${low} to ${high}`).toBe(point >= low && point <= high ? 1 : 0)
    }
  }
})

test('bytes of surrogates never match', () => {
  const sequences = utf8Sequences([[0, 0x10ffff]])
  const surrogate = [0xed, 0xa0, 0x80]
  expect(
    sequences.some(
      (sequence) => sequence.length === 3 && sequence.every(([from, to], i) => from <= (surrogate[i] ?? 0) && (surrogate[i] ?? 0) <= to),
    ),
  ).toBe(false)
})
