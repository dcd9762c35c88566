/**
 * The course of a run. First each side reads a text: that gives the perplexity, and afterwards files are in memory, conversions
 * kept and modules compiled. Then rounds: in each, every side is started in its own process, continues the prompts and ends,
 * one after the other, so that what changes on the machine meets all of them. No round is begun that would end too late,
 * which on a busy machine may be the one with the longest prompts.
 */

import { promptOf } from './find-files.ts'
import type { Job, JobReport, SpeedResult } from './peers/job.ts'
import type { JobRun } from './peers/run-job.ts'
import type { Sample } from './report/rows.ts'
import { median } from './report/statistics.ts'
import type { Side, Skipped } from './sides.ts'

export interface Schedule {
  /** Prompt lengths of each round, ascending. */
  readonly rounds: readonly (readonly number[])[]
  /** How often a process goes through the prompts. */
  readonly repeats: number
  readonly newTokens: number
  readonly textTokens: number
  readonly limitMs: number
}

export const QUICK: Schedule = {
  rounds: [
    [16, 512],
    [16, 2048],
  ],
  repeats: 1,
  newTokens: 13,
  textTokens: 128,
  limitMs: 110_000,
}
export const FULL: Schedule = {
  rounds: Array.from({ length: 5 }, () => [16, 512, 2048]),
  repeats: 2,
  newTokens: 33,
  textTokens: 512,
  limitMs: 840_000,
}

/** What starting a process costs, in tokens of a prompt that take as long: about a second. */
const START_WORK = 600

export interface Course {
  readonly samples: readonly Sample[]
  readonly failed: readonly Skipped[]
  readonly otherShares: readonly number[]
  readonly calibrationMs: readonly number[]
  readonly rounds: number
}

export interface CourseSettings {
  readonly sides: readonly Side[]
  readonly schedule: Schedule
  readonly threads: number
  readonly text: readonly number[] | undefined
  readonly run: (job: Job) => Promise<JobRun>
  readonly say: (line: string) => void
  readonly clock: () => number
  /** Milliseconds of a fixed piece of work. */
  readonly calibrate: () => number
}

export async function runCourse({ sides, schedule, threads, text, run, say, clock, calibrate }: CourseSettings): Promise<Course> {
  const { rounds, repeats, newTokens, textTokens, limitMs } = schedule
  const positions = Math.max(textTokens, ...rounds.flat()) + newTokens + 8
  const samples: Sample[] = []
  const failed: Skipped[] = []
  const otherShares: number[] = []
  const calibrationMs = [calibrate()]
  const attempt = async (side: Side, task: Job['task']): Promise<JobRun | undefined> => {
    try {
      const done = await run({ source: side.source, threads, positions, task })
      otherShares.push(done.otherShare)
      return done
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      say(`${side.name}: ${reason}`)
      failed.push({ name: side.name, reason })
      return undefined
    }
  }
  const works = (side: Side) => !failed.some(({ name }) => name === side.name)

  const start = clock()
  for (const side of sides) {
    if (side.isStartOnly) continue
    say(text === undefined ? `warming: ${side.name}` : `perplexity: ${side.name}`)
    const tokens = promptOf(text, textTokens)
    const done = await attempt(
      side,
      text === undefined ? { kind: 'speed', prompts: [promptOf(text, 16)], newTokens } : { kind: 'perplexity', tokens },
    )
    if (done?.report.result.kind !== 'perplexity') continue
    samples.push({
      side: side.name,
      measure: 'perplexity',
      context: textTokens,
      round: 0,
      value: Math.exp(done.report.result.negativeLogLikelihood),
    })
  }

  let finished = 0
  let pace = 0
  for (const contexts of rounds) {
    const begun = clock()
    const work = contexts.reduce((sum, context) => sum + context, START_WORK)
    if (begun - start + pace * work > limitMs) {
      say(`no time for round ${finished + 1} of ${rounds.length}`)
      break
    }
    for (const side of sides.filter(works)) {
      say(`round ${finished + 1} of ${rounds.length}: ${side.name}`)
      const lengths = side.isStartOnly ? contexts.slice(0, 1) : Array.from({ length: repeats }, () => contexts).flat()
      const done = await attempt(side, { kind: 'speed', prompts: lengths.map((length) => promptOf(text, length)), newTokens })
      if (done !== undefined) samples.push(...samplesOf(side.name, finished, done.startedAt, done.report))
    }
    calibrationMs.push(calibrate())
    pace = Math.max(pace, (clock() - begun) / work)
    finished++
  }
  return { samples, failed, otherShares, calibrationMs, rounds: finished }
}

/** What one process of a side measured. Its memory counts at the first prompt of a length only: later ones follow longer ones. */
export function samplesOf(side: string, round: number, startedAt: number, { readyAt, result }: JobReport): Sample[] {
  if (result.kind !== 'speed') return []
  const sample = (measure: Sample['measure'], context: number, value: number): Sample => ({ side, measure, context, round, value })
  const [first, ...others] = result.continuations
  if (first === undefined) return []
  // The shortest prompt is a part of the first token; its own rate would say little.
  const longer = others.filter(({ promptTokens }) => promptTokens !== first.promptTokens)
  return [
    sample('ready', 0, readyAt - startedAt),
    sample('first token', first.promptTokens, first.firstTokenAt - startedAt),
    ...firstOfEachLength(result).map(({ promptTokens, peakBytes }) => sample('peak memory', promptTokens, peakBytes / 1e6)),
    ...longer.map(({ promptTokens, prefillMs }) => sample('prefill', promptTokens, (promptTokens * 1000) / prefillMs)),
    ...result.continuations.map(({ promptTokens, stepMs }) => sample('decode', promptTokens, median(stepMs))),
  ]
}

function firstOfEachLength({ continuations }: SpeedResult) {
  return continuations.filter(({ promptTokens }, at) => continuations.findIndex((other) => other.promptTokens === promptTokens) === at)
}
