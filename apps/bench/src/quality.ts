/**
 * `pnpm bench quality`: the fixture's text through every format of ours beside float32. One format is open besides float32 at a time.
 * Nothing is timed, so the machine may be busy.
 */
import { type CausalLM, loadCausalLM, measureQuality, type Quality, WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'

export interface FormatRow extends Omit<Quality, 'predictions' | 'referencePerplexity'> {
  readonly format: WeightFormat
  /** What it means for this model, by role. */
  readonly formats: Readonly<Record<string, string>>
  readonly weightsBytes: number
  /** Perplexity above that of float32, in percent: what the default may lose at most 1 of. */
  readonly perplexityLossPercent: number
}

export interface QualitySettings {
  readonly model: string
  readonly threads: number
  readonly convertedFolder: string
  /** Ids of the text. */
  readonly text: readonly number[]
  readonly say: (line: string) => void
}

export async function compareFormats({ model, threads, convertedFolder, text, say }: QualitySettings): Promise<FormatRow[]> {
  const open = (format: WeightFormat) => loadCausalLM(model, { format, threads, convertedFolder, selfTest: false })
  const rows: FormatRow[] = []
  await using reference = await open('f32')
  for (const format of WEIGHT_FORMATS) {
    say(`quality: ${format}`)
    const own = format === 'f32' ? undefined : await open(format)
    try {
      rows.push(await formatRow(format, own ?? reference, reference, text))
    } finally {
      await own?.[Symbol.asyncDispose]()
    }
  }
  return rows
}

async function formatRow(format: WeightFormat, lm: CausalLM, reference: CausalLM, text: readonly number[]): Promise<FormatRow> {
  const { predictions: _, referencePerplexity, ...quality } = await measureQuality(lm, reference, Int32Array.from(text))
  const perplexityLossPercent = 100 * (quality.perplexity / referencePerplexity - 1)
  return { format, formats: lm.plan.formats, weightsBytes: lm.memory().weightsBytes, ...quality, perplexityLossPercent }
}

/** For people, in monospace. */
export function formatQualityTable(rows: readonly FormatRow[]): string {
  const lines = rows.map((row) => [
    row.format,
    row.perplexity.toFixed(3),
    `${row.perplexityLossPercent.toFixed(2)} %`,
    `${(100 * row.argmaxAgreement).toFixed(1)} %`,
    row.meanDivergence.toFixed(5),
    `${(row.weightsBytes / 1e6).toFixed(0)} MB`,
    [...new Set(Object.values(row.formats))].join(', '),
  ])
  const table = [['format', 'perplexity', 'loss', 'best token as f32', 'KL from f32', 'weights', 'which is'], ...lines]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
