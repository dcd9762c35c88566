/**
 * `pnpm bench shapes`: the same comparison over other sizes of models. A file of each shape is made, every side is started on it in turn as in the main
 * course (which is reused), and the files are taken away again. Only node-llama-cpp reads them besides us. Random weights say nothing about quality.
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import type { WeightFormat } from '@foretoken/models'
import { DEFAULT_MODEL_FILE, findModel } from '../find-files.ts'
import { type Busyness, calibrate, disturbances, shareOfOthersNow } from '../machine/busyness.ts'
import { installedVersions } from '../machine/installed-versions.ts'
import { describeMachine } from '../machine/machine.ts'
import { defaultCacheFolder } from '../options.ts'
import { runJob } from '../peers/run-job.ts'
import { buildPackages } from '../prepare/build-packages.ts'
import { buildRows, type OurSide } from '../report/rows.ts'
import { type Course, runCourse, type Schedule } from '../rounds.ts'
import type { Side } from '../sides.ts'
import { type ModelShape, parametersOf } from './shape.ts'
import { writeShapeFile } from './shape-file.ts'
import { readShapeOptions, SHAPES_HELP, type ShapeOptions } from './shape-options.ts'
import { PEER, type ShapeReport, unkept } from './shape-report.ts'
import { formatShapes } from './shape-table.ts'

const CONTEXTS = [16, 512]

interface Surroundings {
  readonly say: (line: string) => void
  readonly print: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
}

export async function benchShapes(args: readonly string[], { say, print, environment }: Surroundings): Promise<number> {
  let options: ShapeOptions | 'help'
  try {
    options = readShapeOptions(args, join(defaultCacheFolder(environment), 'shapes'))
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (options === 'help') {
    print(SHAPES_HELP.trimEnd())
    return 0
  }
  const tokenizerFrom = findModel(environment)
  if (tokenizerFrom === undefined) {
    say(`Skipped everything: found no ${DEFAULT_MODEL_FILE} in FORETOKEN_MODELS, whose tokenizer is taken over.`)
    return 1
  }
  if (!options.fromSources && !buildPackages()) {
    say('Found packages that cannot be built. With --sources they are not built.')
    return 1
  }
  const machine = describeMachine(options.threads, installedVersions(['onnxruntime-node', PEER]))
  const [loadAverageBefore = 0] = loadavg()
  const shareBefore = await shareOfOthersNow()
  const shapes: ShapeReport[] = []
  const courses: Course[] = []
  for (const shape of options.shapes) {
    const { report, course } = await benchShape(shape, options, tokenizerFrom, say)
    shapes.push(report)
    courses.push(course)
    for (const { name, reason } of report.skipped) say(`${shape.name}: skipped ${name}: ${reason}`)
  }
  const busyness = joinBusyness(courses, { loadAverageBefore, shareBefore })
  const disturbed = disturbances(busyness)
  const { encoding, rounds, json } = options
  print(
    [
      `${machine.processor}, ${machine.cores} cores, ${machine.threads} threads, ${(machine.memoryBytes / 1e9).toFixed(0)} GB; files in ${encoding}, ${rounds} rounds`,
      '',
      formatShapes(shapes),
      '',
      'in brackets  how many times better than node-llama-cpp: above 1 we are ahead',
      ...(disturbed.length === 0 ? [] : ['', 'THE MACHINE WAS BUSY: do not quote these figures.', ...disturbed]),
    ].join('\n'),
  )
  if (json !== undefined) {
    mkdirSync(dirname(json), { recursive: true })
    writeFileSync(json, `${JSON.stringify({ machine, busyness, rounds, encoding, shapes }, null, 2)}\n`)
  }
  return shapes.some(({ rows }) => rows.length > 0) ? 0 : 1
}

async function benchShape(shape: ModelShape, options: ShapeOptions, tokenizerFrom: string, say: (line: string) => void) {
  const { encoding, formats, rounds, threads, cacheFolder, fromSources, keeps } = options
  const folder = join(cacheFolder, `${shape.name}-${encoding}`)
  const file = join(folder, `${shape.name}.gguf`)
  mkdirSync(folder, { recursive: true })
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      say(`writing ${shape.name}, ${(parametersOf(shape) / 1e6).toFixed(0)} million parameters in ${encoding}`)
      await writeShapeFile(file, { shape, encoding, tokenizerFrom })
    }
    const schedule: Schedule = {
      rounds: Array.from({ length: rounds }, () => shape.contexts ?? CONTEXTS),
      repeats: 1,
      newTokens: 17,
      textTokens: 16,
      limitMs: Number.POSITIVE_INFINITY,
    }
    const course = await runCourse({
      sides: shapeSides(file, formats, join(folder, 'converted')),
      schedule,
      threads,
      text: undefined,
      run: (job) => runJob(job, { compileCache: join(cacheFolder, 'compiled'), fromSources }),
      say: (line) => say(`${shape.name}: ${line}`),
      clock: () => performance.now(),
      calibrate,
    })
    const { samples, failed } = course
    const rows = buildRows(samples, ourSides(formats), [{ name: PEER, sides: [PEER] }])
    return { report: { shape, parameters: parametersOf(shape), fileBytes: statSync(file).size, skipped: failed, rows, samples }, course }
  } finally {
    if (!keeps) rmSync(folder, { recursive: true, force: true })
  }
}

function shapeSides(file: string, formats: readonly WeightFormat[], convertedFolder: string): Side[] {
  return [
    ...formats.map((format): Side => ({ name: format, source: { kind: 'foretoken', file, format, convertedFolder } })),
    { name: PEER, source: { kind: 'node-llama-cpp', file } },
    ...formats.map((format): Side => ({ name: unkept(format), source: { kind: 'foretoken', file, format }, isStartOnly: true })),
  ]
}

function ourSides(formats: readonly WeightFormat[]): OurSide[] {
  return formats.flatMap((format) => [
    { side: format, variant: format },
    { side: unkept(format), variant: unkept(format), measures: ['first token', 'ready', 'peak memory'] as const },
  ])
}

function joinBusyness(courses: readonly Course[], before: Pick<Busyness, 'loadAverageBefore' | 'shareBefore'>): Busyness {
  const shares = courses.flatMap(({ otherShares }) => otherShares)
  return {
    ...before,
    shareMean: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
    shareWorst: Math.max(0, ...shares),
    calibrationMs: courses.flatMap(({ calibrationMs }) => calibrationMs),
  }
}
