import { cpus } from 'node:os'

/** Time of all processors since the machine started. */
export interface ProcessorTimes {
  readonly busyMs: number
  readonly idleMs: number
}

export function processorTimes(): ProcessorTimes {
  let busyMs = 0
  let idleMs = 0
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq
    idleMs += times.idle
  }
  return { busyMs, idleMs }
}

/**
 * The part of all processors' time that went to other processes, 0 to 1.
 *
 * @param ownMs  processor time that was ours between the two
 */
export function shareOfOthers(before: ProcessorTimes, after: ProcessorTimes, ownMs: number): number {
  const total = after.busyMs + after.idleMs - before.busyMs - before.idleMs
  if (total <= 0) return 0
  return Math.min(1, Math.max(0, (after.busyMs - before.busyMs - ownMs) / total))
}
