import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'

export interface SpeculationOptions {
  readonly model?: string
  readonly format: WeightFormat
  readonly threads: number
  readonly rounds: number
  readonly newTokens: number
  readonly temperatures: readonly number[]
  /** Parts of names of drafters and prompts that are wanted; empty: all. */
  readonly only: readonly string[]
  readonly prompts: readonly string[]
  readonly json?: string
  readonly svg?: string
}

export const SPECULATION_HELP = `Usage: pnpm bench speculation [options]

  --quick            one round of 64 tokens, greedy
  --only TEXT        drafters whose name contains this; may be repeated
  --prompt TEXT      prompts whose kind contains this; may be repeated
  --rounds N         (3)
  --tokens N         most new tokens of a prompt (200)
  --json FILE        the machine and the rows
  --svg FILE         tokens per step over the course of each output, for each drafter
  --model FILE       a .gguf file of a Llama; SmolLM2-135M-Instruct in FORETOKEN_MODELS when absent
  --format NAME      our format: ${WEIGHT_FORMATS.join(', ')} (auto)
  --threads N        2 when absent, or 1 where there is one core
  --help             this text
`

/**
 * @returns  'help' when that was asked for
 * @throws {Error} for an option that is not known or has no sense
 */
export function readSpeculationOptions(args: readonly string[]): SpeculationOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((argument) => argument !== '--'),
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      prompt: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      tokens: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      model: { type: 'string' },
      format: { type: 'string', default: 'auto' },
      threads: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const format = WEIGHT_FORMATS.find((name) => name === values.format)
  if (format === undefined) throw new Error(`--format: found ${values.format}, expected one of ${WEIGHT_FORMATS.join(', ')}`)
  return {
    format,
    threads: count('--threads', values.threads) ?? Math.min(2, availableParallelism()),
    rounds: count('--rounds', values.rounds) ?? (values.quick ? 1 : 3),
    newTokens: count('--tokens', values.tokens) ?? (values.quick ? 64 : 200),
    temperatures: values.quick ? [0] : [0, 0.7],
    only: values.only,
    prompts: values.prompt,
    ...(values.json === undefined ? {} : { json: resolve(values.json) }),
    ...(values.svg === undefined ? {} : { svg: resolve(values.svg) }),
    ...(values.model === undefined ? {} : { model: resolve(values.model) }),
  }
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option}: found ${text}, expected a whole number from 1`)
  return value
}
