/** What each format of a model costs in quality, and what it weighs: a text through every one of them beside float32. */
import { type CausalLM, measureQuality, WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { alignedTable } from './aligned-table.ts'

export interface FormatQuality {
  readonly format: WeightFormat
  /** What it means for this model, by role. */
  readonly formats: Readonly<Record<string, string>>
  readonly weightsBytes: number
  readonly negativeLogLikelihood: number
  readonly perplexity: number
  /** Share of positions whose best token is that of float32. */
  readonly argmaxAgreement: number
  /** Mean KL of float32 against the format, nats. */
  readonly meanDivergence: number
}

export interface FormatQualityOptions {
  /** All when absent. */
  readonly formats?: readonly WeightFormat[]
  /** Opens the model; it is disposed of here. */
  open(format: WeightFormat): Promise<CausalLM>
  /** Of the model that was opened. */
  tokens(lm: CausalLM): Int32Array
  readonly onProgress?: (format: WeightFormat, done: number, total: number) => void
  readonly signal: AbortSignal
}

/** Holds float32 and one format at a time. */
export async function formatQualities({ formats = WEIGHT_FORMATS, open, tokens, onProgress, signal }: FormatQualityOptions) {
  await using reference = await open('f32')
  const text = tokens(reference)
  const found: FormatQuality[] = []
  for (const format of formats) {
    const own = format === 'f32' ? undefined : await open(format)
    try {
      const lm = own ?? reference
      const { negativeLogLikelihood, perplexity, argmaxAgreement, meanDivergence } = await measureQuality(lm, reference, text, {
        onProgress: ({ done, total }) => onProgress?.(format, done, total),
        signal,
      })
      const { weightsBytes } = lm.memory()
      const quality = { negativeLogLikelihood, perplexity, argmaxAgreement, meanDivergence }
      found.push({ format, formats: lm.plan.formats, weightsBytes, ...quality })
    } finally {
      await own?.[Symbol.asyncDispose]()
    }
  }
  return { tokens: text.length, rows: found }
}

export function qualityTable(rows: readonly FormatQuality[]): string {
  const lines = rows.map(({ format, formats, weightsBytes, perplexity, argmaxAgreement, meanDivergence }) => [
    format,
    perplexity.toFixed(3),
    `${(100 * argmaxAgreement).toFixed(1)} %`,
    meanDivergence.toFixed(5),
    `${(weightsBytes / 1e6).toFixed(0)} MB`,
    [...new Set(Object.values(formats))].join(', '),
  ])
  return alignedTable([['format', 'perplexity', 'best token as f32', 'KL from f32', 'weights', 'which is'], ...lines])
}

/** The first tokens of a text, as many as are wanted and fit. */
export function textTokens({ tokenizer, config }: CausalLM, text: string, most: number): Int32Array {
  if (tokenizer === undefined)
    throw new ArgumentError({ field: '--text', found: 'a model without a tokenizer', expected: 'one that has it' })
  const ids = tokenizer.encode(text)
  if (ids.length < 2) throw new ArgumentError({ field: '--text', found: `${ids.length} tokens`, expected: 'at least two' })
  return Int32Array.from(ids.slice(0, Math.min(most, config.maxPositions)))
}
