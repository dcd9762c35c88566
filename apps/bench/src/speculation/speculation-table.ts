/** The rows for people: a line for each prompt and temperature, a column for each drafter with its ratio and tokens per step. */
import { AIMS, type SpeculationRow } from './speculation-rows.ts'

export function formatSpeculationTable(rows: readonly SpeculationRow[], aimed: string): string {
  const drafters = [...new Set(rows.map(({ drafter }) => drafter))]
  const lines = [['prompt', 'T', 'tokens', 'repeated', ...drafters, `aim of ${aimed}`]]
  for (const [prompt, temperature] of combinations(rows)) {
    const own = rows.filter((row) => row.prompt === prompt && row.temperature === temperature)
    const [first] = own
    if (first === undefined) continue
    const cells = drafters.map((drafter) => {
      const row = own.find((each) => each.drafter === drafter)
      return row === undefined ? '' : `${show(row.ratio)}x ${show(row.tokensPerStep)}${row.identical ? '' : ' DIFFERENT'}`
    })
    const aim = temperature === 0 ? (AIMS[prompt] ?? 0.98) : 0.98
    const reached = (own.find((row) => row.drafter === aimed)?.ratio ?? Number.NaN) >= aim ? 'reached' : 'missed'
    lines.push([prompt, `${temperature}`, `${first.newTokens}`, percent(first.repeated), ...cells, `${aim.toFixed(2)} ${reached}`])
  }
  for (const temperature of new Set(rows.map((row) => row.temperature))) {
    const means = drafters.map((drafter) => {
      const own = rows.filter((row) => row.drafter === drafter && row.temperature === temperature)
      if (own.length === 0) return ''
      return `${show(mean(own.map(({ ratio }) => ratio)))}x ${show(mean(own.map((row) => row.tokensPerStep)))}`
    })
    lines.push(['mean', `${temperature}`, '', '', ...means, temperature === 0 ? '1.60' : ''])
  }
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length))) ?? []
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function combinations(rows: readonly SpeculationRow[]): [string, number][] {
  const found = new Map(rows.map(({ prompt, temperature }) => [`${temperature} ${prompt}`, [prompt, temperature] as [string, number]]))
  return [...found.values()]
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function show(value: number): string {
  return value.toFixed(2)
}

function percent(share: number): string {
  return Number.isNaN(share) ? '' : `${Math.round(100 * share)} %`
}
