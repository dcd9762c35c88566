/** `pnpm bench web`: Foretoken beside transformers.js and wllama in headless Chromium, from the same weights, in one run. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { openCheckpoint } from '@foretoken/models'
import { DEFAULT_MODEL_FILE, findModel, findText, findTokenizer } from '../find-files.ts'
import { type Busyness, calibrate, disturbances, shareOfOthersNow } from '../machine/busyness.ts'
import { installedVersions } from '../machine/installed-versions.ts'
import { describeMachine, type Machine } from '../machine/machine.ts'
import { defaultCacheFolder } from '../options.ts'
import { runJob } from '../peers/run-job.ts'
import { buildPackages } from '../prepare/build-packages.ts'
import { drawFigure } from '../report/figure.ts'
import { buildRows, type Row } from '../report/rows.ts'
import { explainMeasures, formatTable } from '../report/table.ts'
import type { Skipped } from '../sides.ts'
import { buildPage, packageFolder } from './page-build.ts'
import { serveFolders } from './static-server.ts'
import { visit } from './visit.ts'
import { runWebCourse, WEB_FULL, WEB_QUICK } from './web-course.ts'
import { findBrowser, readWebOptions, WEB_HELP, type WebOptions } from './web-options.ts'
import { idsToCut, promptOfText } from './web-prompts.ts'
import { OURS, prepareWebSides, type WebSide } from './web-sides.ts'

export interface WebSurroundings {
  readonly say: (line: string) => void
  readonly print: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** @returns the exit status */
export async function benchWeb(args: readonly string[], { say, print, environment }: WebSurroundings): Promise<number> {
  let options: WebOptions | 'help'
  try {
    options = readWebOptions(args, defaultCacheFolder(environment))
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (options === 'help') {
    print(WEB_HELP.trimEnd())
    return 0
  }
  const browser = options.browser ?? findBrowser(environment)
  const model = options.model ?? findModel(environment)
  if (browser === undefined || model === undefined) {
    if (browser === undefined) say('Skipped everything: found no Chromium. Name one with --browser.')
    if (model === undefined) say(`Skipped everything: found no ${DEFAULT_MODEL_FILE} in FORETOKEN_MODELS. Name a file with --model.`)
    return 1
  }
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
  return run({ model, browser, options, environment, signal: interruption.signal, say, print })
}

interface Run extends WebSurroundings {
  readonly model: string
  readonly browser: string
  readonly options: WebOptions
  readonly signal: AbortSignal
}

async function run({ model, browser, options, environment, signal, say, print }: Run): Promise<number> {
  const { isQuick, threads, cacheFolder, fromSources } = options
  if (!fromSources && !buildPackages()) {
    say('Found packages that cannot be built. With --sources they are not built.')
    return 1
  }
  const text = model.endsWith(DEFAULT_MODEL_FILE) ? findText(environment) : undefined
  const files = { model, tokenizer: options.tokenizer ?? findTokenizer(model) }
  const { sides, peers, skipped, modelsFolder } = await prepareWebSides(files, options, say)
  const work = join(cacheFolder, 'web')
  // What browsers keep belongs to the server's port, which is another one in each run.
  rmSync(join(work, 'profiles'), { recursive: true, force: true })
  await buildPage(join(work, 'page'), fromSources)
  await using server = await serveFolders({
    '': join(work, 'page'),
    models: modelsFolder,
    ort: join(packageFolder('onnxruntime-web'), 'dist'),
    wllama: join(packageFolder('@wllama/wllama'), 'esm', 'wasm'),
  })
  await using checkpoint = await openCheckpoint(model)
  const { tokenizer } = checkpoint
  if (tokenizer === undefined) {
    say('Skipped everything: found no tokenizer in the file, expected one.')
    return 1
  }
  const ids = idsToCut(tokenizer, text)
  const schedule = isQuick ? WEB_QUICK : WEB_FULL
  const positions = Math.max(schedule.textTokens, schedule.longest ?? 0, ...schedule.contexts) + schedule.newTokens
  const machine = describeMachine(
    threads,
    installedVersions(['onnxruntime-web', '@huggingface/transformers', '@wllama/wllama', 'playwright']),
  )
  const [loadAverageBefore = 0] = loadavg()
  const shareBefore = await shareOfOthersNow()

  const course = await runWebCourse({
    sides,
    isVariant: ({ source }) => source.kind === 'wllama',
    schedule,
    text,
    prompt: (length, index) => promptOfText(tokenizer, ids, length, index),
    visit: (side, task) => {
      const profile = join(work, 'profiles', side.name.replace(/\W+/g, '-'))
      return visit(side.source, task, { threads, positions }, { origin: server.origin, browser, profile, signal })
    },
    perplexityOf: (side, tokens) => llamaPerplexity(side, tokens, { threads, positions, cacheFolder, fromSources, signal, say }),
    say,
    clock: () => performance.now(),
    calibrate,
  })

  const left = [...skipped, ...course.failed]
  if (text === undefined) left.push({ name: 'perplexity', reason: 'found no text of this model in FORETOKEN_FIXTURES' })
  const rows = buildRows(course.samples, [{ side: OURS }], peers)
  const shares = course.otherShares
  const busyness = {
    loadAverageBefore,
    shareBefore,
    shareMean: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
    shareWorst: Math.max(0, ...shares),
    calibrationMs: course.calibrationMs,
  }
  print(reportText({ machine, rows, left, busyness, rounds: course.rounds, format: options.format }))
  write(
    options.json,
    () => `${JSON.stringify({ machine, busyness, rounds: course.rounds, skipped: left, rows, samples: course.samples }, null, 2)}\n`,
  )
  write(options.svg, () => {
    const busy = disturbances(busyness).length === 0 ? '' : ' THE MACHINE WAS BUSY.'
    const subtitle = `${machine.processor}, headless Chromium, ${threads} threads. Bars to the right: we are ahead. Marks: what we aim at.${busy}`
    return drawFigure(rows, { title: 'Foretoken beside other ways to run a model in a page', subtitle })
  })
  return rows.length > 0 ? 0 : 1
}

interface Scoring {
  readonly threads: number
  readonly positions: number
  readonly cacheFolder: string
  readonly fromSources: boolean
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** wllama tells no probabilities of a prompt: llama.cpp's native library reads the same file instead. */
async function llamaPerplexity({ name, file }: WebSide, tokens: readonly number[], scoring: Scoring): Promise<number | undefined> {
  if (file === undefined) return undefined
  const { threads, positions, cacheFolder, fromSources, signal, say } = scoring
  try {
    const job = { source: { kind: 'node-llama-cpp', file }, threads, positions, task: { kind: 'perplexity', tokens } } as const
    const { report } = await runJob(job, { compileCache: join(cacheFolder, 'compiled'), fromSources, signal })
    return report.result.kind === 'perplexity' ? Math.exp(report.result.negativeLogLikelihood) : undefined
  } catch (error) {
    say(`perplexity of ${name}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
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
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const disturbed = disturbances(busyness)
  return [
    `headless Chromium, ${machine.processor}, ${machine.cores} cores, ${machine.threads} threads, ${(machine.memoryBytes / 1e9).toFixed(0)} GB`,
    `${versions.join(', ')}; our format: ${format}`,
    `${rounds} rounds; load average before: ${busyness.loadAverageBefore.toFixed(2)}`,
    ...left.map(({ name, reason }) => `skipped: ${name}: ${reason}`),
    '',
    formatTable(rows),
    '',
    explainMeasures(rows),
    'ratio        above 1 we are ahead; range: the rounds with the least and the greatest',
    'perplexity of wllama is that of the same file in llama.cpp as node-llama-cpp has it',
    ...(disturbed.length === 0 ? [] : ['', 'THE MACHINE WAS BUSY: do not quote these figures.', ...disturbed]),
  ].join('\n')
}

function write(file: string | undefined, content: () => string): void {
  if (file === undefined) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content())
}
