import { expect, test } from 'vitest'
import { drawFigure } from '../../src/report/figure.ts'
import { rowExample } from './row-example.ts'

const TEXT = { title: 'A figure', subtitle: 'of something' }

function bars(svg: string): { x: number; width: number; fill: string }[] {
  const found = svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+" fill="(#\w+)"/g)
  return [...found].map(([, x, width, fill = '']) => ({ x: Number(x), width: Number(width), fill }))
}

test('there is a bar for each row', () => {
  expect(bars(drawFigure([rowExample(), rowExample({ context: 512 })], TEXT))).toHaveLength(2)
})

test('twice as fast and twice as slow are bars of the same length on both sides of one', () => {
  const [ahead, behind] = bars(drawFigure([rowExample({ ratio: 2 }), rowExample({ ratio: 0.5 })], TEXT))
  expect(ahead?.width).toBeCloseTo(behind?.width ?? 0, 0)
  expect((behind?.x ?? 0) + (behind?.width ?? 0)).toBeCloseTo(ahead?.x ?? 0, 0)
  expect(ahead?.fill).not.toBe(behind?.fill)
})

test('every bar is inside of the figure, however great the ratio', () => {
  for (const { x, width } of bars(drawFigure([rowExample({ ratio: 40 }), rowExample({ ratio: 0.01 })], TEXT))) {
    expect(x).toBeGreaterThanOrEqual(300)
    expect(x + width).toBeLessThanOrEqual(670)
  }
})

test('text is escaped', () => {
  const svg = drawFigure([rowExample({ peer: 'a < b & c' })], TEXT)
  expect(svg).toContain('a &lt; b &amp; c')
})

test('rows without a ratio are left out', () => {
  expect(bars(drawFigure([rowExample({ ratio: Number.NaN })], TEXT))).toEqual([])
})

test('elements that are opened are closed', () => {
  const svg = drawFigure([rowExample({ aim: 1.2 })], TEXT)
  const opened = [...svg.matchAll(/<(\w+)(?:\s[^>]*[^/>])?>/g)].map(([, name]) => name)
  const closed = [...svg.matchAll(/<\/(\w+)>/g)].map(([, name]) => name)
  expect(closed.toSorted()).toEqual(opened.toSorted())
})
