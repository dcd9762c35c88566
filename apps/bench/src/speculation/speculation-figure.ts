/**
 * Tokens per step over the course of the outputs, as an SVG figure: a panel for each prompt, a line for each drafter. Across is the part of the output
 * that is done, up the mean of the steps around there; the line of 1 is plain decoding.
 */
import type { SpeculationRow } from './speculation-rows.ts'

const PANEL = { width: 300, height: 150, gap: 34, columns: 3 }
const LEFT = 34
const TOP = 96
const COLOURS = ['#1b6ca8', '#2f7d4f', '#b5532c', '#7a4fa3', '#a8891b', '#5c5c5c', '#c2457f', '#2a9d9d', '#8a5a3c']
/** Points of a line. */
const POINTS = 40

export function drawSpeculationFigure(rows: readonly SpeculationRow[], subtitle: string): string {
  const drafters = [...new Set(rows.map(({ drafter }) => drafter))]
  const panels = [...new Set(rows.map(({ prompt, temperature }) => `${prompt}, temperature ${temperature}`))]
  const lines = Math.ceil(panels.length / PANEL.columns)
  const width = LEFT + PANEL.columns * (PANEL.width + PANEL.gap)
  const height = TOP + lines * (PANEL.height + PANEL.gap + 14)
  const body = panels.flatMap((panel, at) => {
    const x = LEFT + (at % PANEL.columns) * (PANEL.width + PANEL.gap)
    const y = TOP + Math.floor(at / PANEL.columns) * (PANEL.height + PANEL.gap + 14)
    return drawPanel(panel, x, y, rows, drafters)
  })
  const legend = drafters.map((drafter, at) => {
    const x = 8 + (at % 5) * 190
    const y = 60 + Math.floor(at / 5) * 16
    return `<rect x="${x}" y="${y - 8}" width="14" height="4" fill="${colour(at)}"/>${text(x + 20, y, drafter)}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11">`,
    '<title>Tokens per step over the course of each output</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(8, 22, 'Tokens per step over the course of each output', 'font-size="16" font-weight="600"'),
    text(8, 40, subtitle, 'fill="#555"'),
    ...legend,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}

function drawPanel(panel: string, left: number, top: number, rows: readonly SpeculationRow[], drafters: readonly string[]): string[] {
  const own = rows.filter(({ prompt, temperature }) => `${prompt}, temperature ${temperature}` === panel)
  const curves = own.map((row) => ({ at: drafters.indexOf(row.drafter), points: course(row.tokensByStep) }))
  const most = Math.max(2, ...curves.flatMap(({ points }) => points))
  const y = (tokens: number) => top + PANEL.height - (PANEL.height * tokens) / most
  const marks = [1, 2, 4, 8, 16].filter((mark) => mark <= most)
  return [
    text(left, top - 6, panel, 'font-weight="600"'),
    ...marks.map(
      (mark) =>
        `<line x1="${left}" x2="${left + PANEL.width}" y1="${round(y(mark))}" y2="${round(y(mark))}" stroke="${mark === 1 ? '#555' : '#ddd'}"/>` +
        text(left - 6, y(mark) + 4, `${mark}`, 'text-anchor="end" fill="#555"'),
    ),
    ...curves.map(({ at, points }) => {
      const line = points.map((value, i) => `${round(left + (PANEL.width * i) / (POINTS - 1))},${round(y(value))}`).join(' ')
      return `<polyline points="${line}" fill="none" stroke="${colour(at)}" stroke-width="1.5"/>`
    }),
  ]
}

/** Tokens per step at `POINTS` places of the output: tokens over steps within a tenth of the output to both sides. */
export function course(tokensByStep: readonly number[]): number[] {
  const total = tokensByStep.reduce((sum, tokens) => sum + tokens, 0)
  return Array.from({ length: POINTS }, (_, point) => {
    const middle = (total * point) / (POINTS - 1)
    let begin = 0
    let tokens = 0
    let steps = 0
    for (const each of tokensByStep) {
      const isNear = begin + each >= middle - total / 10 && begin <= middle + total / 10
      if (isNear) {
        tokens += each
        steps++
      }
      begin += each
    }
    return steps === 0 ? 0 : tokens / steps
  })
}

function colour(at: number): string {
  return COLOURS[at % COLOURS.length] ?? '#000'
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  return `<text x="${round(x)}" y="${round(y)}"${attributes === '' ? '' : ` ${attributes}`}>${escaped}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
