import { expect, test } from 'vitest'
import { cellWidth } from '../src/cell-width.ts'

test.each([
  ['a', 1],
  ['é', 1],
  ['Ω', 1],
  ['\u0301', 0],
  ['\u200d', 0],
  ['世', 2],
  ['か', 2],
  ['한', 2],
  ['。', 2],
  ['！', 2],
  ['🦊', 2],
  ['–', 1],
])('%j takes %i cells', (character, cells) => {
  expect(cellWidth(character)).toBe(cells)
})
