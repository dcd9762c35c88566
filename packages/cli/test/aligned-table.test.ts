import { expect, test } from 'vitest'
import { alignedTable } from '../src/aligned-table.ts'

test('columns are as wide as their widest cell, counted in cells of the terminal', () => {
  const rows = [
    ['a', 'b', 'c'],
    ['世界', 'bb', ''],
  ]
  expect(alignedTable(rows)).toBe('a     b   c\n世界  bb  ')
})

test('no rows are no text', () => {
  expect(alignedTable([])).toBe('')
})
