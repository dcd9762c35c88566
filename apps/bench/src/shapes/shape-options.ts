import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'
import type { WritableBlocks } from '@foretoken/weights'
import { type ModelShape, SHAPES } from './shape.ts'

const ENCODINGS: readonly WritableBlocks[] = ['Q4_0', 'Q4_1', 'Q8_0']

export interface ShapeOptions {
  readonly shapes: readonly ModelShape[]
  readonly encoding: WritableBlocks
  readonly formats: readonly WeightFormat[]
  readonly rounds: number
  readonly threads: number
  readonly json?: string
  readonly cacheFolder: string
  readonly fromSources: boolean
  /** Whether the files of a shape stay when it has been measured. */
  readonly keeps: boolean
}

export const SHAPES_HELP = `Usage: pnpm bench shapes [options]

  --shape NAME       may be repeated; all when absent: ${SHAPES.map(({ name }) => name).join(', ')}
  --encoding NAME    of the file: ${ENCODINGS.join(', ')} (Q4_1)
  --format NAME      our formats, may be repeated: ${WEIGHT_FORMATS.join(', ')} (auto and stored)
  --rounds N         starts of each side (2)
  --threads N        for every side; 2 when absent, or 1 where there is one core
  --json FILE        the machine, and rows for each shape
  --sources          our packages from their sources; when absent they are built, and run as published
  --cache DIR        where the files are made: up to 7 GB for the largest shape, taken away after each
  --keep             leave them there
  --help             this text

The tokenizer is that of the default model in FORETOKEN_MODELS.
`

/**
 * @param defaultCache  folder where none is named
 * @returns             'help' when that was asked for
 * @throws {Error} for an option that is not known or has no sense
 */
export function readShapeOptions(args: readonly string[], defaultCache: string): ShapeOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shape: { type: 'string', multiple: true, default: SHAPES.map(({ name }) => name) },
      encoding: { type: 'string', default: 'Q4_1' },
      format: { type: 'string', multiple: true, default: ['auto', 'stored'] },
      rounds: { type: 'string', default: '2' },
      threads: { type: 'string' },
      json: { type: 'string' },
      sources: { type: 'boolean', default: false },
      cache: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    shapes: values.shape.map((wanted) =>
      chosen(
        '--shape',
        wanted,
        SHAPES.map(({ name }) => name),
        (name) => SHAPES.find((shape) => shape.name === name),
      ),
    ),
    encoding: chosen('--encoding', values.encoding, ENCODINGS, (name) => ENCODINGS.find((each) => each === name)),
    formats: values.format.map((wanted) =>
      chosen('--format', wanted, WEIGHT_FORMATS, (name) => WEIGHT_FORMATS.find((each) => each === name)),
    ),
    rounds: count('--rounds', values.rounds),
    threads: values.threads === undefined ? Math.min(2, availableParallelism()) : count('--threads', values.threads),
    ...(values.json === undefined ? {} : { json: resolve(values.json) }),
    cacheFolder: resolve(values.cache ?? defaultCache),
    fromSources: values.sources,
    keeps: values.keep,
  }
}

function chosen<T>(option: string, wanted: string, names: readonly string[], find: (name: string) => T | undefined): T {
  const found = find(wanted)
  if (found === undefined) throw new Error(`${option}: found ${wanted}, expected one of ${names.join(', ')}`)
  return found
}

function count(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option}: found ${text}, expected a whole number from 1`)
  return value
}
