/**
 * The course of a run in the browser. A first visit of each side reads a text, which gives the perplexity where the side tells probabilities, and
 * leaves its files in the browser's cache. Then rounds: in each, every side opens a page of its own in turn, so that what changes on the machine
 * meets all of them. Of a library with several formats all are tried in one round; only those that were best in something go on. The longest
 * prompt comes last and once: it takes the slowest side a minute.
 */
import { MEASURES, type MeasureName, ratioOf } from '../report/measure.ts'
import type { Sample } from '../report/rows.ts'
import { median } from '../report/statistics.ts'
import type { Skipped } from '../sides.ts'
import type { Visit } from './visit.ts'
import type { WebPrompt, WebTask } from './web-job.ts'
import type { WebSide } from './web-sides.ts'

export interface WebSchedule {
  /** Prompt lengths of a round. */
  readonly contexts: readonly number[]
  readonly rounds: number
  /** The prompt of a last round. */
  readonly longest?: number
  readonly newTokens: number
  readonly textTokens: number
  readonly limitMs: number
}

export const WEB_QUICK: WebSchedule = { contexts: [16, 512], rounds: 2, newTokens: 25, textTokens: 128, limitMs: 160_000 }
export const WEB_FULL: WebSchedule = { contexts: [16, 512], rounds: 4, longest: 2048, newTokens: 33, textTokens: 512, limitMs: 840_000 }
/** Tokens after the longest prompt. */
const NEW_AFTER_LONGEST = 13

export interface WebCourse {
  readonly samples: readonly Sample[]
  readonly failed: readonly Skipped[]
  readonly otherShares: readonly number[]
  readonly calibrationMs: readonly number[]
  readonly rounds: number
}

export interface WebCourseSettings {
  readonly sides: readonly WebSide[]
  /** Sides of which only the best go on after the first round. */
  isVariant(side: WebSide): boolean
  readonly schedule: WebSchedule
  readonly text: readonly number[] | undefined
  prompt(length: number, index: number): WebPrompt
  visit(side: WebSide, task: WebTask): Promise<Visit>
  /** Perplexity of a side that cannot tell it; undefined where that is not known either. */
  perplexityOf(side: WebSide, tokens: readonly number[]): Promise<number | undefined>
  say(line: string): void
  clock(): number
  /** Milliseconds of a fixed piece of work. */
  calibrate(): number
}

export async function runWebCourse(settings: WebCourseSettings): Promise<WebCourse> {
  const { sides, schedule, say, clock, calibrate } = settings
  const samples: Sample[] = []
  const failed: Skipped[] = []
  const otherShares: number[] = []
  const calibrationMs = [calibrate()]
  let prompts = 0
  const nextPrompt = (length: number) => settings.prompt(length, prompts++)
  const works = (side: WebSide) => !failed.some(({ name }) => name === side.name)
  const attempt = async (side: WebSide, task: WebTask): Promise<Visit | undefined> => {
    try {
      const done = await settings.visit(side, task)
      if (done.otherShare !== undefined) otherShares.push(done.otherShare)
      return done
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      say(`${side.name}: ${reason}`)
      failed.push({ name: side.name, reason })
      return undefined
    }
  }

  const start = clock()
  for (const side of sides) {
    const value = await firstVisit(side, settings, attempt, nextPrompt)
    if (value !== undefined && works(side)) {
      samples.push({ side: side.name, measure: 'perplexity', context: schedule.textTokens, round: 0, value })
    }
  }

  let round = 0
  let longestRoundMs = 0
  const runRound = async (members: readonly WebSide[], lengths: readonly number[], newTokens: number) => {
    const begun = clock()
    // The same prompts for all, and other ones in each round: what a library keeps of a prompt is of no use to the next.
    const given = lengths.map(nextPrompt)
    for (const side of members.filter(works)) {
      say(`round ${round + 1}: ${side.name}, ${lengths.join(' and ')} tokens`)
      const done = await attempt(side, { kind: 'speed', prompts: given, newTokens })
      if (done !== undefined) samples.push(...samplesOfVisit(side.name, round, done))
    }
    calibrationMs.push(calibrate())
    longestRoundMs = Math.max(longestRoundMs, clock() - begun)
    round++
  }

  let members = sides
  for (let each = 0; each < schedule.rounds; each++) {
    // The round with the longest prompt takes about four times as long.
    const needed = longestRoundMs * (schedule.longest === undefined ? 1 : 5)
    if (each > 0 && clock() - start + needed > schedule.limitMs) {
      say(`no time for round ${each + 1} of ${schedule.rounds}`)
      break
    }
    await runRound(members, schedule.contexts, schedule.newTokens)
    if (each === 0) members = remaining(sides, settings, samples)
  }
  if (schedule.longest !== undefined) await runRound(members, [schedule.longest], NEW_AFTER_LONGEST)
  return { samples, failed, otherShares, calibrationMs, rounds: round }
}

type Attempt = (side: WebSide, task: WebTask) => Promise<Visit | undefined>

async function firstVisit(
  side: WebSide,
  { schedule: { textTokens }, text, say, perplexityOf }: WebCourseSettings,
  attempt: Attempt,
  nextPrompt: (length: number) => WebPrompt,
): Promise<number | undefined> {
  const tokens = text?.slice(0, textTokens)
  if (tokens === undefined || side.source.kind === 'wllama') {
    say(`warming: ${side.name}`)
    await attempt(side, { kind: 'speed', prompts: [nextPrompt(16)], newTokens: 4 })
    return tokens === undefined ? undefined : perplexityOf(side, tokens)
  }
  say(`perplexity: ${side.name}`)
  const done = await attempt(side, { kind: 'perplexity', tokens })
  return done?.result.kind === 'perplexity' ? Math.exp(done.result.negativeLogLikelihood) : undefined
}

/** All sides but the variants that were best in none of what takes time. */
function remaining(sides: readonly WebSide[], { isVariant, schedule }: WebCourseSettings, samples: readonly Sample[]): WebSide[] {
  const variants = sides.filter(isVariant)
  const best = new Set<string>()
  for (const measure of MEASURES.filter(({ name }) => name === 'decode' || name === 'prefill')) {
    for (const context of schedule.contexts) {
      const found = samples.filter(
        (sample) => sample.measure === measure.name && sample.context === context && variants.some(({ name }) => name === sample.side),
      )
      const value = (side: string) => median(found.filter((sample) => sample.side === side).map((sample) => sample.value))
      const [winner] = [...new Set(found.map(({ side }) => side))].sort((a, b) => ratioOf(measure, value(b), value(a)) - 1)
      if (winner !== undefined) best.add(winner)
    }
  }
  return sides.filter((side) => !isVariant(side) || best.has(side.name))
}

/** What one visit of a side measured. A shortest prompt has no rate worth telling. */
export function samplesOfVisit(side: string, round: number, { readyMs, loadedBytes, result }: Visit): Sample[] {
  if (result.kind !== 'speed') return []
  const sample = (measure: MeasureName, context: number, value: number): Sample => ({ side, measure, context, round, value })
  return [
    sample('load from cache', 0, readyMs),
    ...(loadedBytes === undefined ? [] : [sample('memory after loading', 0, loadedBytes / 1e6)]),
    ...result.continuations.flatMap(({ promptTokens, prefillMs, stepMs }) => [
      ...(promptTokens < 100 ? [] : [sample('prefill', promptTokens, (promptTokens * 1000) / prefillMs)]),
      sample('decode', promptTokens, median(stepMs)),
    ]),
  ]
}
