import { expect, test } from 'vitest'
import { explainMeasures, formatTable, showValue } from '../../src/report/table.ts'
import { rowExample } from './row-example.ts'

test('a row shows both medians, the ratio and its range', () => {
  const [, line = ''] = formatTable([rowExample()]).split('\n')
  expect(line.split(/ {2,}/)).toEqual(['decode', '16', 'them', '8.00 ms/token', '12.0 ms/token', '1.50', '1.25-1.75'])
})

test('a peer of several sides says which it was', () => {
  const [, line = ''] = formatTable([rowExample({ peer: 'them, fastest format', peerSide: 'them Q4_0' })]).split('\n')
  expect(line.split(/ {2,}/)[2]).toBe('them, fastest format (Q4_0)')
})

test('a measure is named once', () => {
  const [, , second = ''] = formatTable([rowExample(), rowExample({ context: 512 })]).split('\n')
  expect(second.trim().split(/ {2,}/)[0]).toBe('512')
})

test('an aim is reached or missed', () => {
  const [, reached = '', missed = ''] = formatTable([rowExample({ aim: 1.5 }), rowExample({ aim: 1.6 })]).split('\n')
  expect(reached).toMatch(/1\.50 reached$/)
  expect(missed).toMatch(/1\.60 missed$/)
})

test.each([
  [0.5, '0.500'],
  [12.345, '12.3'],
  [1234.5, '1235'],
])('%d is shown as %s', (value, shown) => {
  expect(showValue(value, '')).toBe(shown)
})

test('only measures that were taken are explained', () => {
  expect(explainMeasures([rowExample()]).split('\n')).toHaveLength(1)
})
