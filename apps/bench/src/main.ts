/**
 * `pnpm bench`: Foretoken beside node-llama-cpp and transformers.js, from the same weights, in one run.
 * What is printed on the way goes to stderr; stdout gets the report.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { DEFAULT_MODEL_FILE, findModel, findText, findTokenizer } from './find-files.ts'
import { type Busyness, calibrate, disturbances, shareOfOthersNow } from './machine/busyness.ts'
import { installedVersions } from './machine/installed-versions.ts'
import { describeMachine, type Machine } from './machine/machine.ts'
import { type BenchOptions, defaultCacheFolder, HELP, readOptions } from './options.ts'
import { runJob } from './peers/run-job.ts'
import { buildPackages } from './prepare/build-packages.ts'
import { compareFormats, formatQualityTable } from './quality.ts'
import { drawFigure } from './report/figure.ts'
import { buildRows, type Row } from './report/rows.ts'
import { explainMeasures, formatTable } from './report/table.ts'
import { FULL, QUICK, runCourse } from './rounds.ts'
import { benchShapes } from './shapes/bench-shapes.ts'
import { prepareSides, type Skipped } from './sides.ts'
import { benchSpeculation } from './speculation/bench-speculation.ts'
import { benchWeb } from './web/bench-web.ts'

const say = (line: string) => process.stderr.write(`${line}\n`)
const print = (text: string) => process.stdout.write(`${text}\n`)

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === 'speculation') return benchSpeculation(args.slice(1), { say, print, environment: process.env })
  if (args[0] === 'shapes') return benchShapes(args.slice(1), { say, print, environment: process.env })
  if (args[0] === 'web') return benchWeb(args.slice(1), { say, print, environment: process.env })
  let options: BenchOptions | 'help'
  try {
    options = readOptions(args, defaultCacheFolder(process.env))
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (options === 'help') {
    print(HELP.trimEnd())
    return 0
  }
  const model = options.model ?? findModel(process.env)
  if (model === undefined) {
    say(
      `Skipped everything: found no ${DEFAULT_MODEL_FILE} in FORETOKEN_MODELS. Set it to a folder that has the file, or name one with --model.`,
    )
    return 1
  }
  if (options.isQuality) return quality(model, options)
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
  return bench(model, options, interruption.signal)
}

async function quality(model: string, { threads, cacheFolder, json }: BenchOptions): Promise<number> {
  const text = model.endsWith(DEFAULT_MODEL_FILE) ? findText(process.env) : undefined
  if (text === undefined) {
    say('Skipped: found no text of this model in FORETOKEN_FIXTURES. `foretoken bench --quality --text FILE` reads any.')
    return 1
  }
  const rows = await compareFormats({ model, threads, convertedFolder: join(cacheFolder, 'converted'), text, say })
  const machine = describeMachine(threads, installedVersions(['onnxruntime-node']))
  print(`${formatQualityTable(rows)}\n${text.length} tokens; ${machine.processor}`)
  write(json, () => `${JSON.stringify({ machine, tokens: text.length, rows }, null, 2)}\n`)
  return 0
}

async function bench(model: string, options: BenchOptions, signal: AbortSignal): Promise<number> {
  const { isQuick, threads, cacheFolder, fromSources } = options
  if (!fromSources && !buildPackages()) {
    say('Found packages that cannot be built. With --sources they are not built.')
    return 1
  }
  // The text is in the ids of the default model: for another one its perplexity would mean nothing.
  const text = model.endsWith(DEFAULT_MODEL_FILE) ? findText(process.env) : undefined
  const { sides, ours, peers, skipped } = await prepareSides({ model, tokenizer: options.tokenizer ?? findTokenizer(model) }, options, say)
  const machine = describeMachine(threads, installedVersions(['onnxruntime-node', 'node-llama-cpp', '@huggingface/transformers']))
  const [loadAverageBefore = 0] = loadavg()
  const shareBefore = await shareOfOthersNow()

  const run = await runCourse({
    sides,
    schedule: isQuick ? QUICK : FULL,
    threads,
    text,
    run: (job) => runJob(job, { compileCache: join(cacheFolder, 'compiled'), fromSources, signal }),
    say,
    clock: () => performance.now(),
    calibrate,
  })
  const left = [...skipped, ...run.failed]
  if (text === undefined) left.push({ name: 'perplexity', reason: 'found no text of this model in FORETOKEN_FIXTURES' })
  const rows = buildRows(run.samples, ours, peers)
  const shareWorst = Math.max(0, ...run.otherShares)
  const shareMean = run.otherShares.reduce((sum, share) => sum + share, 0) / Math.max(1, run.otherShares.length)
  const busyness = { loadAverageBefore, shareBefore, shareMean, shareWorst, calibrationMs: run.calibrationMs }

  print(reportText({ machine, rows, left, busyness, rounds: run.rounds, format: options.format }))
  write(
    options.json,
    () => `${JSON.stringify({ machine, busyness, rounds: run.rounds, skipped: left, rows, samples: run.samples }, null, 2)}\n`,
  )
  write(options.svg, () => {
    const title = 'Foretoken beside other ways to run a model in Node'
    const rounds = `${run.rounds} ${run.rounds === 1 ? 'round' : 'rounds'}`
    const busy = disturbances(busyness).length === 0 ? '' : ' THE MACHINE WAS BUSY.'
    const subtitle = `${machine.processor}, ${threads} threads, ${rounds}. Bars to the right: we are ahead. Marks: what we aim at.${busy}`
    return drawFigure(rows, { title, subtitle })
  })
  return rows.length > 0 ? 0 : 1
}

interface Report {
  readonly machine: Machine
  readonly rows: readonly Row[]
  readonly left: readonly Skipped[]
  readonly busyness: Busyness
  readonly rounds: number
  readonly format: string
}

function reportText({ machine, rows, left, busyness, rounds, format }: Report): string {
  const { avx2, avx512Vnni, avxVnni } = machine.features
  const known = (has: boolean | undefined) => (has === undefined ? 'unknown' : has ? 'yes' : 'no')
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const disturbed = disturbances(busyness)
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.threads} threads, ${(machine.memoryBytes / 1e9).toFixed(0)} GB, ${machine.platform}`,
    `AVX2 ${known(avx2)}, AVX512-VNNI ${known(avx512Vnni)}, AVX-VNNI ${known(avxVnni)}; ${versions.join(', ')}; our format: ${format}`,
    `${rounds} rounds; load average before: ${busyness.loadAverageBefore.toFixed(2)}`,
    ...left.map(({ name, reason }) => `skipped: ${name}: ${reason}`),
    '',
    formatTable(rows),
    '',
    explainMeasures(rows),
    'ratio        above 1 we are ahead; range: the rounds with the least and the greatest',
    ...(disturbed.length === 0 ? [] : ['', 'THE MACHINE WAS BUSY: do not quote these figures.', ...disturbed]),
  ].join('\n')
}

function write(file: string | undefined, content: () => string): void {
  if (file === undefined) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content())
}
