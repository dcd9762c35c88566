/**
 * Whether the figures can be trusted: a fixed amount of work is timed before, between and after the rounds, and the processor
 * time that went to others is added up while the sides run. Sides that use all cores suffer most from one busy core, and not
 * equally, so ratios are touched too.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { processorTimes, shareOfOthers } from './processor-times.ts'

/** Above these a run is called busy. An idle machine shows 0.00 to 0.02 and 1.00 to 1.03. */
const MOST_OTHER_SHARE = 0.05
const MOST_SLOWDOWN = 1.15

export interface Busyness {
  readonly loadAverageBefore: number
  /** Part of the processors that others used in the second before the start. */
  readonly shareBefore: number
  /** The same while the sides ran: mean and worst. */
  readonly shareMean: number
  readonly shareWorst: number
  /** Milliseconds of the fixed work, each time it was done. */
  readonly calibrationMs: readonly number[]
}

/** The share of the processors that other processes use now, watched for a second. */
export async function shareOfOthersNow(): Promise<number> {
  const before = processorTimes()
  const own = process.cpuUsage()
  await sleep(1000)
  const { user, system } = process.cpuUsage(own)
  return shareOfOthers(before, processorTimes(), (user + system) / 1000)
}

/** Milliseconds for a fixed chain of additions and products, the best of five. */
export function calibrate(): number {
  let best = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 5; attempt++) {
    const start = performance.now()
    let x = 1
    for (let i = 0; i < 10_000_000; i++) x = x * 0.999_999_9 + 1e-7
    best = Math.min(best, performance.now() - start)
    if (Number.isNaN(x)) throw new Error('found NaN, expected a number')
  }
  return best
}

/** Sentences that say what disturbed the run; none when nothing did. */
export function disturbances({ shareBefore, shareMean, shareWorst, calibrationMs }: Busyness): string[] {
  const percent = (share: number) => `${Math.round(100 * share)} %`
  const found = []
  if (shareBefore > MOST_OTHER_SHARE) found.push(`Other processes used ${percent(shareBefore)} of the processors before the start.`)
  if (shareMean > MOST_OTHER_SHARE || shareWorst > 4 * MOST_OTHER_SHARE) {
    found.push(`While the sides ran, others used ${percent(shareMean)} of the processors on average and ${percent(shareWorst)} at worst.`)
  }
  const slowdown = Math.max(...calibrationMs) / Math.min(...calibrationMs)
  if (slowdown > MOST_SLOWDOWN) found.push(`The same work took up to ${slowdown.toFixed(2)} times as long at some times as at others.`)
  return found
}
