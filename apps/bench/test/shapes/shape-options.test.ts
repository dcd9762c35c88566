import { expect, test } from 'vitest'
import { SHAPES } from '../../src/shapes/shape.ts'
import { readShapeOptions } from '../../src/shapes/shape-options.ts'

test('without options every shape is measured, and its files are taken away', () => {
  expect(readShapeOptions([], '/cache')).toMatchObject({
    shapes: SHAPES,
    encoding: 'Q4_1',
    formats: ['auto', 'stored'],
    cacheFolder: '/cache',
    keeps: false,
  })
})

test('names that are not known are refused with the known ones', () => {
  expect(() => readShapeOptions(['--shape', 'huge'], '/cache')).toThrow(/--shape: found huge, expected one of smollm2-360m,/)
  expect(() => readShapeOptions(['--encoding', 'Q4_K'], '/cache')).toThrow(/--encoding: found Q4_K, expected one of Q4_0, Q4_1, Q8_0/)
  expect(() => readShapeOptions(['--rounds', '0'], '/cache')).toThrow(/--rounds: found 0/)
})
