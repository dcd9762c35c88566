import { cellWidth } from './cell-width.ts'

/** Columns padded to their widest cell, the last one left as it is. Cells have no line ends. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? '')))) ?? []
  return rows
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)))).join('  '),
    )
    .join('\n')
}

function width(text: string): number {
  let cells = 0
  for (const character of text) cells += cellWidth(character)
  return cells
}
