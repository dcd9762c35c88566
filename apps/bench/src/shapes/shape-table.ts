/** Shapes for people: a line for each side of each shape. Ours say in brackets how many times better they are. */
import type { MeasureName } from '../report/measure.ts'
import type { Sample } from '../report/rows.ts'
import { median } from '../report/statistics.ts'
import { PEER, type ShapeReport, unkept } from './shape-report.ts'

interface Column {
  readonly heading: string
  readonly measure: MeasureName
  readonly context: number
  /** What a value is divided by for the table. */
  readonly unit: number
  /** Of the side that keeps nothing. */
  readonly isFirst?: boolean
}

export function formatShapes(reports: readonly ShapeReport[]): string {
  const columns = columnsOf(reports)
  const lines = [['', 'million', 'side', ...columns.map(({ heading }) => heading)]]
  for (const { shape, parameters, samples } of reports) {
    const sides = [...new Set(samples.map(({ side }) => side))].filter((side) => !side.endsWith(unkept('')))
    for (const [index, side] of sides.entries()) {
      const start = index === 0 ? [shape.name, (parameters / 1e6).toFixed(0)] : ['', '']
      lines.push([...start, side, ...columns.map((column) => cell(samples, side, column))])
    }
  }
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length))) ?? []
  const pad = (text: string, column: number) =>
    column === 0 || column === 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

function columnsOf(reports: readonly ShapeReport[]): Column[] {
  const contexts = (measure: MeasureName) =>
    [
      ...new Set(reports.flatMap(({ samples }) => samples.filter((sample) => sample.measure === measure).map(({ context }) => context))),
    ].sort((a, b) => a - b)
  const shortest = contexts('decode')[0] ?? 0
  return [
    { heading: 'first open s', measure: 'ready', context: 0, unit: 1000, isFirst: true },
    { heading: 'open s', measure: 'ready', context: 0, unit: 1000 },
    { heading: 'first peak MB', measure: 'peak memory', context: shortest, unit: 1, isFirst: true },
    ...contexts('peak memory').map((context): Column => ({ heading: `peak ${context} MB`, measure: 'peak memory', context, unit: 1 })),
    ...contexts('decode').map((context): Column => ({ heading: `step ${context} ms`, measure: 'decode', context, unit: 1 })),
    ...contexts('prefill').map((context): Column => ({ heading: `prefill ${context} /s`, measure: 'prefill', context, unit: 1 })),
  ]
}

function cell(samples: readonly Sample[], side: string, column: Column): string {
  const own = medianOf(samples, column.isFirst === true && side !== PEER ? unkept(side) : side, column)
  if (Number.isNaN(own) || (column.isFirst === true && side === PEER)) return ''
  const shown = own / column.unit
  const text = shown >= 100 ? shown.toFixed(0) : shown.toPrecision(3)
  const peer = medianOf(samples, PEER, column)
  if (side === PEER || Number.isNaN(peer)) return text
  return `${text} (${(column.measure === 'prefill' ? own / peer : peer / own).toFixed(2)})`
}

function medianOf(samples: readonly Sample[], side: string, { measure, context }: Column): number {
  return median(
    samples.filter((sample) => sample.side === side && sample.measure === measure && sample.context === context).map(({ value }) => value),
  )
}
