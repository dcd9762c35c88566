/** Runs a job in a process of its own, and sees how much of the machine went to others meanwhile. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { processorTimes, shareOfOthers } from '../machine/processor-times.ts'
import { type ChildMessage, instant, type Job, type JobReport } from './job.ts'

export interface JobRun {
  readonly report: JobReport
  /** When the process was started. */
  readonly startedAt: number
  /** 0 to 1: the part of all processors' time that went to other processes. */
  readonly otherShare: number
}

export interface JobSettings {
  /** Folder where Node keeps compiled modules, the same for every side. */
  readonly compileCache: string
  /** Whether our packages are run from their sources instead of as they are published. */
  readonly fromSources: boolean
  readonly signal?: AbortSignal
}

/**
 * @throws {Error} when the side fails; the message is its own, or the end of what it wrote
 */
export async function runJob(job: Job, { compileCache, fromSources, signal }: JobSettings): Promise<JobRun> {
  signal?.throwIfAborted()
  const before = processorTimes()
  const ownBefore = process.cpuUsage()
  const startedAt = instant()
  const child = fork(join(import.meta.dirname, 'child.ts'), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: fromSources ? ['--conditions=foretoken-source'] : [],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' }),
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      written = (written + text).slice(-2000)
    })
  }
  const report = await new Promise<JobReport>((resolve, reject) => {
    child.once('error', reject)
    child.once('message', (message: ChildMessage) => {
      if (message.kind === 'done') resolve(message.report)
      else reject(new Error(message.reason))
    })
    child.once('exit', (status, by) => reject(new Error(`the process ended (${by ?? status}) before it answered: ${written.trim()}`)))
    child.send(job)
  })
  const own = process.cpuUsage(ownBefore)
  const ownMs = report.processorMs + (own.user + own.system) / 1000
  const otherShare = shareOfOthers(before, processorTimes(), ownMs)
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve))
  return { report, startedAt, otherShare }
}
