/**
 * The ratios as an SVG figure: a bar for each row, growing from the line of 1 to the right where we are ahead and to the left
 * where we are behind. The axis is logarithmic, so that twice as fast and twice as slow look equally long.
 */
import type { Row } from './rows.ts'
import { peerName, showValue } from './table.ts'

const WIDTH = 860
const LABEL_WIDTH = 300
const VALUE_WIDTH = 190
const ROW_HEIGHT = 20
const GROUP_GAP = 14
const HEADER_HEIGHT = 58
const FOOTER_HEIGHT = 30
const AHEAD = '#2f7d4f'
const BEHIND = '#b5532c'

export interface FigureText {
  readonly title: string
  readonly subtitle: string
}

export function drawFigure(rows: readonly Row[], { title, subtitle }: FigureText): string {
  const drawn = rows.filter(({ ratio }) => Number.isFinite(ratio) && ratio > 0)
  const reach = axisReach(drawn)
  const axisWidth = WIDTH - LABEL_WIDTH - VALUE_WIDTH
  const x = (ratio: number) => LABEL_WIDTH + axisWidth * (0.5 + Math.log(ratio) / (2 * Math.log(reach)))
  const body: string[] = []
  let y = HEADER_HEIGHT
  let group = ''
  for (const row of drawn) {
    const name = groupName(row)
    if (name !== group) {
      y += group === '' ? 0 : GROUP_GAP
      body.push(text(8, y + 14, name, 'font-weight="600"'))
      y += ROW_HEIGHT
      group = name
    }
    const [from, to] = [Math.min(x(1), x(row.ratio)), Math.max(x(1), x(row.ratio))]
    const values = `${row.ratio.toFixed(2)}x  (${showValue(row.ours, '')} / ${showValue(row.theirs, row.unit)})`
    body.push(
      text(20, y + 14, peerName(row)),
      `<rect x="${round(from)}" y="${y + 3}" width="${round(Math.max(1, to - from))}" height="${ROW_HEIGHT - 6}" fill="${row.ratio >= 1 ? AHEAD : BEHIND}"/>`,
    )
    if (row.aim !== undefined) {
      body.push(
        `<line x1="${round(x(row.aim))}" x2="${round(x(row.aim))}" y1="${y + 1}" y2="${y + ROW_HEIGHT - 1}" stroke="#222" stroke-width="2"/>`,
      )
    }
    body.push(text(WIDTH - VALUE_WIDTH + 8, y + 14, values))
    y += ROW_HEIGHT
  }
  const height = y + FOOTER_HEIGHT
  const marks = axisMarks(reach).map(
    (mark) =>
      `<line x1="${round(x(mark))}" x2="${round(x(mark))}" y1="${HEADER_HEIGHT - 6}" y2="${y}" stroke="${mark === 1 ? '#555' : '#ddd'}"/>` +
      text(x(mark), y + 16, `${mark}x`, 'text-anchor="middle" fill="#555"'),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(8, 22, title, 'font-size="16" font-weight="600"'),
    text(8, 40, subtitle, 'fill="#555"'),
    ...marks,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}

/** The axis runs from 1/reach to reach, so that every ratio and aim is on it. */
function axisReach(rows: readonly Row[]): number {
  const ratios = rows.flatMap(({ ratio, aim }) => [ratio, aim ?? 1])
  return Math.max(2, ...ratios.map((ratio) => Math.max(ratio, 1 / ratio) * 1.05))
}

function axisMarks(reach: number): number[] {
  return [0.1, 0.2, 0.5, 1, 2, 5, 10].filter((mark) => mark <= reach && mark >= 1 / reach)
}

function groupName({ measure, context, variant }: Row): string {
  return [measure, ...(context === 0 ? [] : [`${context} tokens`]), ...(variant === undefined ? [] : [variant])].join(', ')
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes === '' ? '' : ` ${attributes}`}>${escapeText(content)}</text>`
}

function escapeText(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
