/**
 * The greatest resident memory of this process. Linux keeps it by address space in /proc; the figure of getrusage is no use
 * there, because a child starts with that of the process it was forked from.
 */
import { readFileSync } from 'node:fs'

export function peakResidentBytes(): number {
  return peakFromStatus(readStatus()) ?? process.resourceUsage().maxRSS * 1024
}

/** @param status  the text of /proc/self/status */
export function peakFromStatus(status: string): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}
