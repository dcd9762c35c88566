/** One visit of a side: a fresh browser with the files that an earlier visit cached opens the page, does a task, and ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright'
import { processorTimes, shareOfOthers } from '../machine/processor-times.ts'
import { processesBelow } from './process-tree.ts'
import type { WebResult, WebSettings, WebSource, WebTask } from './web-job.ts'

const FLAGS = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--js-flags=--expose-gc',
]
/** Longer than the longest prompt of the slowest side takes on a busy machine. */
const LIMIT_MS = 400_000
const SETTLE_MS = 500

export interface VisitSettings {
  /** Of the bench's server. */
  readonly origin: string
  readonly browser: string
  /** Where the browser of this side keeps its files between visits. */
  readonly profile: string
  readonly signal: AbortSignal
}

export interface Visit {
  /** From the start of the page to the open model. */
  readonly readyMs: number
  /** Resident memory of the page's process after that and a collection of garbage; absent where the system does not tell. */
  readonly loadedBytes?: number
  readonly result: WebResult
  /** 0 to 1: the part of all processors' time that went to other processes. */
  readonly otherShare?: number
}

/** @throws {Error} when the side fails, with its own message */
export async function visit(source: WebSource, task: WebTask, settings: WebSettings, where: VisitSettings): Promise<Visit> {
  where.signal.throwIfAborted()
  const before = processorTimes()
  const ownBefore = process.cpuUsage()
  const context = await chromium.launchPersistentContext(where.profile, { executablePath: where.browser, headless: true, args: FLAGS })
  const close = () => void context.close().catch(() => {})
  where.signal.addEventListener('abort', close)
  const timer = setTimeout(close, LIMIT_MS)
  try {
    const page = context.pages()[0] ?? (await context.newPage())
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(`${where.origin}/`)
    await page
      .waitForFunction(() => globalThis.webBench !== undefined, undefined, { timeout: 30_000 })
      .catch(() => {
        throw new Error(`found a page that does not start (${problems.join('; ')}), expected one that does`)
      })
    const readyMs = required(await page.evaluate(([from, how]) => globalThis.webBench?.open(from, how), [source, settings] as const))
    await page.evaluate(() => globalThis.gc?.())
    await sleep(SETTLE_MS)
    const loaded = processesBelow()
    const result = required(await page.evaluate((work) => globalThis.webBench?.perform(work), task))
    const after = processesBelow()
    const own = process.cpuUsage(ownBefore)
    const ownMs = (own.user + own.system) / 1000
    return {
      readyMs,
      ...(loaded === undefined ? {} : { loadedBytes: loaded.rendererBytes }),
      result,
      ...(after === undefined ? {} : { otherShare: shareOfOthers(before, processorTimes(), ownMs + after.processorMs) }),
    }
  } finally {
    clearTimeout(timer)
    where.signal.removeEventListener('abort', close)
    await context.close()
  }
}

function required<T>(answer: T | undefined): T {
  if (answer === undefined) throw new Error('found a page that was reloaded, expected its answer')
  return answer
}
