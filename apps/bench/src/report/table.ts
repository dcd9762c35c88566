/** The rows for people, in monospace. */
import { MEASURES } from './measure.ts'
import type { Row } from './rows.ts'

const HEADINGS = ['', 'tokens', 'compared with', 'ours', 'theirs', 'ratio', 'range', 'aim']
const LEFT_ALIGNED = new Set([0, 2])

export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.variant === undefined ? row.measure : `${row.measure}, ${row.variant}`,
    row.context === 0 ? '' : `${row.context}`,
    peerName(row),
    showValue(row.ours, row.unit),
    showValue(row.theirs, row.unit),
    row.ratio.toFixed(2),
    `${row.ratioLeast.toFixed(2)}-${row.ratioGreatest.toFixed(2)}`,
    row.aim === undefined ? '' : `${row.aim.toFixed(2)} ${row.ratio >= row.aim ? 'reached' : 'missed'}`,
  ])
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...cells.map((line) => (line[column] ?? '').length)))
  const lines = [HEADINGS, ...cells].map((line, at) => {
    const isSameMeasure = at > 1 && line[0] === cells[at - 2]?.[0]
    const shown = isSameMeasure ? ['', ...line.slice(1)] : line
    return shown
      .map((cell, column) => (LEFT_ALIGNED.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  })
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** With the side in brackets, where it is one of several: `node-llama-cpp, fastest format (Q4_0)`. */
export function peerName({ peer, peerSide }: Row): string {
  return peerSide === undefined ? peer : `${peer} (${peerSide.split(' ').at(-1)})`
}

/** Three significant digits, whole numbers above 100. */
export function showValue(value: number, unit: string): string {
  const digits = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
  return unit === '' ? digits : `${digits} ${unit}`
}

/** What the measures mean, a line each, for those that are in the rows. */
export function explainMeasures(rows: readonly Row[]): string {
  const present = MEASURES.filter(({ name }) => rows.some(({ measure }) => measure === name))
  return present.map(({ name, meaning }) => `${name.padEnd(12)} ${meaning}`).join('\n')
}
