import { availableParallelism, homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'

export interface BenchOptions {
  readonly isQuick: boolean
  /** Instead of the comparison: what our formats cost. */
  readonly isQuality: boolean
  readonly json?: string
  readonly svg?: string
  readonly model?: string
  readonly tokenizer?: string
  readonly format: WeightFormat
  readonly threads: number
  readonly cacheFolder: string
  /** Our side as it lies in the repository, not as it is published. */
  readonly fromSources: boolean
  /** Parts of names of sides that are wanted; empty: all. */
  readonly only: readonly string[]
}

export const HELP = `Usage: pnpm bench [options]
       pnpm bench speculation [options]   what drafts bring; see pnpm bench speculation --help
       pnpm bench shapes [options]   other sizes of models, with random weights; see pnpm bench shapes --help

  --quick            two short rounds in under two minutes, instead of five in under fifteen
  --quality          instead: perplexity, best tokens and divergence of each of our formats against float32
  --json FILE        the machine and the rows
  --svg FILE         the ratios as a figure
  --model FILE       a .gguf file of a Llama; SmolLM2-135M-Instruct in FORETOKEN_MODELS when absent
  --tokenizer DIR    folder with the model's tokenizer.json; beside the model when absent
  --format NAME      our format: ${WEIGHT_FORMATS.join(', ')} (auto)
  --threads N        for every side; 2 when absent, or 1 where there is one core
  --sources          our packages from their sources; when absent they are built, and run as published
  --only TEXT        only other sides whose name contains this; may be repeated
  --cache DIR        where prepared files are kept
  --help             this text

The text of the perplexity is found through FORETOKEN_FIXTURES.
`

/**
 * @param defaultCache  folder for prepared files where none is named
 * @returns             'help' when that was asked for
 * @throws {Error} for an option that is not known or has no sense
 */
export function readOptions(args: readonly string[], defaultCache: string): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((argument) => argument !== '--'),
    options: {
      quick: { type: 'boolean', default: false },
      quality: { type: 'boolean', default: false },
      json: { type: 'string' },
      svg: { type: 'string' },
      model: { type: 'string' },
      tokenizer: { type: 'string' },
      format: { type: 'string', default: 'auto' },
      threads: { type: 'string' },
      sources: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      cache: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const format = WEIGHT_FORMATS.find((name) => name === values.format)
  if (format === undefined) throw new Error(`--format: found ${values.format}, expected one of ${WEIGHT_FORMATS.join(', ')}`)
  const threads = values.threads === undefined ? Math.min(2, availableParallelism()) : Number(values.threads)
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`--threads: found ${values.threads}, expected a whole number from 1`)
  return {
    isQuick: values.quick,
    isQuality: values.quality,
    ...(values.json === undefined ? {} : { json: resolve(values.json) }),
    ...(values.svg === undefined ? {} : { svg: resolve(values.svg) }),
    ...(values.model === undefined ? {} : { model: resolve(values.model) }),
    ...(values.tokenizer === undefined ? {} : { tokenizer: resolve(values.tokenizer) }),
    format,
    threads,
    cacheFolder: resolve(values.cache ?? defaultCache),
    fromSources: values.sources,
    only: values.only,
  }
}

export function defaultCacheFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'foretoken', 'bench')
}
