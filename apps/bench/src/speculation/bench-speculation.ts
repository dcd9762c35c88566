/** `pnpm bench speculation`: what drafts bring, by drafter and kind of prompt, beside plain decoding and node-llama-cpp's own lookup. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { loadCausalLM } from '@foretoken/models'
import { DEFAULT_MODEL_FILE, findModel } from '../find-files.ts'
import { installedVersions } from '../machine/installed-versions.ts'
import { describeMachine } from '../machine/machine.ts'
import { AUTO, benchDrafters } from './bench-drafters.ts'
import { BENCH_PROMPTS } from './bench-prompts.ts'
import { type LlamaLookup, openLlamaLookup } from './llama-lookup.ts'
import { LOOKUP, runSpeculation, type SpeculationCourse } from './speculation-course.ts'
import { drawSpeculationFigure } from './speculation-figure.ts'
import { readSpeculationOptions, SPECULATION_HELP, type SpeculationOptions } from './speculation-options.ts'
import { formatSpeculationTable } from './speculation-table.ts'

export interface SpeculationBench extends Pick<SpeculationCourse, 'say' | 'around'> {
  readonly print: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Room for the longest prompt and its output. */
const POSITIONS = 1024

export async function benchSpeculation(args: readonly string[], { say, print, environment, around }: SpeculationBench): Promise<number> {
  let options: SpeculationOptions | 'help'
  try {
    options = readSpeculationOptions(args)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (options === 'help') {
    print(SPECULATION_HELP.trimEnd())
    return 0
  }
  const model = options.model ?? findModel(environment)
  if (model === undefined) {
    say(`Skipped everything: found no ${DEFAULT_MODEL_FILE} in FORETOKEN_MODELS. Name a file with --model.`)
    return 1
  }
  const { threads, format, rounds, newTokens, temperatures, only } = options
  const wanted = (name: string, parts: readonly string[]) => parts.length === 0 || parts.some((part) => name.includes(part))
  const [loadBefore = 0] = loadavg()
  await using lm = await loadCausalLM(model, { format, threads })
  const drafters = benchDrafters().filter(({ name }) => wanted(name, only))
  const prompts = BENCH_PROMPTS.filter(({ kind }) => wanted(kind, options.prompts))
  await using lookup = wanted(LOOKUP, only) ? await openLookup(model, threads, say) : undefined
  const rows = await runSpeculation({
    lm,
    drafters,
    prompts,
    temperatures,
    rounds,
    newTokens,
    lookup,
    say,
    ...(around === undefined ? {} : { around }),
  })
  const [loadAfter = 0] = loadavg()
  const machine = describeMachine(threads, installedVersions(['onnxruntime-node', 'node-llama-cpp']))
  const conditions = `${machine.processor}, ${threads} threads, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, load ${loadBefore.toFixed(1)} to ${loadAfter.toFixed(1)}`
  print(
    [
      conditions,
      `ours in ${format}; ids are those of plain decoding unless a cell says DIFFERENT`,
      '',
      formatSpeculationTable(rows, AUTO),
      '',
      'A cell: time of plain decoding over time with the drafter, drafting counted, then new tokens per step.',
      "repeated: the part of the output's 4-grams that were in it before.",
    ].join('\n'),
  )
  write(options.json, () => `${JSON.stringify({ machine, rounds, newTokens, loadBefore, loadAfter, rows }, null, 2)}\n`)
  write(options.svg, () =>
    drawSpeculationFigure(
      rows.filter(({ drafter }) => drafter !== LOOKUP),
      conditions,
    ),
  )
  return rows.every(({ identical, drafter }) => identical || drafter === LOOKUP) ? 0 : 1
}

async function openLookup(model: string, threads: number, say: (line: string) => void): Promise<LlamaLookup | undefined> {
  try {
    return await openLlamaLookup(model, threads, POSITIONS)
  } catch (error) {
    say(`skipped: ${LOOKUP}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function write(file: string | undefined, content: () => string): void {
  if (file === undefined) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content())
}
