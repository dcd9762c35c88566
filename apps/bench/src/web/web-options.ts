import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'

export interface WebOptions {
  readonly isQuick: boolean
  readonly json?: string
  readonly svg?: string
  readonly model?: string
  readonly tokenizer?: string
  readonly browser?: string
  readonly format: WeightFormat
  readonly threads: number
  readonly cacheFolder: string
  readonly fromSources: boolean
  /** Parts of names of sides that are wanted; empty: all. */
  readonly only: readonly string[]
}

export const WEB_HELP = `Usage: pnpm bench web [options]

  --quick            prompts of 16 and 512 tokens and one format of wllama in about three minutes, instead of everything in under fifteen
  --json FILE        the machine and the rows
  --svg FILE         the ratios as a figure
  --model FILE       a .gguf file of a Llama; SmolLM2-135M-Instruct in FORETOKEN_MODELS when absent
  --tokenizer DIR    folder with the model's tokenizer.json; beside the model when absent
  --browser PATH     Chromium or Chrome; FORETOKEN_CHROMIUM, or one of the usual places when absent
  --format NAME      our format: ${WEIGHT_FORMATS.join(', ')} (auto)
  --threads N        for every side; 2 when absent, or 1 where there is one core
  --sources          our packages from their sources; when absent they are built, and run as published
  --only TEXT        only other sides whose name contains this; may be repeated
  --cache DIR        where prepared files are kept
  --help             this text

The text of the prompts and of the perplexity is found through FORETOKEN_FIXTURES.
`

/**
 * @param defaultCache  folder for prepared files where none is named
 * @returns             'help' when that was asked for
 * @throws {Error} for an option that is not known or has no sense
 */
export function readWebOptions(args: readonly string[], defaultCache: string): WebOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((argument) => argument !== '--'),
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      svg: { type: 'string' },
      model: { type: 'string' },
      tokenizer: { type: 'string' },
      browser: { type: 'string' },
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
  const paths = { json: values.json, svg: values.svg, model: values.model, tokenizer: values.tokenizer, browser: values.browser }
  const named = Object.entries(paths).flatMap(([name, path]) => (path === undefined ? [] : [[name, resolve(path)] as const]))
  return {
    isQuick: values.quick,
    ...Object.fromEntries(named),
    format,
    threads,
    cacheFolder: resolve(values.cache ?? defaultCache),
    fromSources: values.sources,
    only: values.only,
  }
}

const USUAL_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable']

/** @returns the browser that FORETOKEN_CHROMIUM names, or the first of the usual places that exists */
export function findBrowser({ FORETOKEN_CHROMIUM }: Readonly<Record<string, string | undefined>>): string | undefined {
  return FORETOKEN_CHROMIUM || USUAL_BROWSERS.find((path) => existsSync(path))
}
