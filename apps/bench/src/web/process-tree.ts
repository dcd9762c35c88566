/** What the processes below this one use: the browser with its renderers. Read from /proc; on other systems nothing is known. */
import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of a second in /proc, on every Linux that runs a browser. */
const TICKS = 100

export interface ProcessUse {
  /** Resident memory of the largest renderer. */
  readonly rendererBytes: number
  /** Processor time of all processes below this one that still run, and of those that they have waited for. */
  readonly processorMs: number
}

export function processesBelow(parent: number = process.pid): ProcessUse | undefined {
  const known = readProcesses()
  if (known.length === 0) return undefined
  const below = new Set([parent])
  for (let size = 0; size !== below.size; ) {
    size = below.size
    for (const { id, parent: above } of known) if (below.has(above)) below.add(id)
  }
  const found = known.filter(({ id }) => id !== parent && below.has(id))
  return {
    rendererBytes: Math.max(0, ...found.filter(({ id }) => isRenderer(id)).map(({ id }) => residentBytes(id))),
    processorMs: found.reduce((sum, { ticks }) => sum + (ticks * 1000) / TICKS, 0),
  }
}

function readProcesses() {
  return textIn('/proc/self/stat') === ''
    ? []
    : readdirSync('/proc').flatMap((name) => {
        if (!/^\d+$/.test(name)) return []
        // The name of the program stands in brackets and may hold spaces; fields are counted from the state that follows it.
        const fields = textIn(`/proc/${name}/stat`)
          .replace(/^.*\) /s, '')
          .split(' ')
        const [parent, ...times] = [fields[1], ...fields.slice(11, 15)].map(Number)
        return parent === undefined || Number.isNaN(parent)
          ? []
          : [{ id: Number(name), parent, ticks: times.reduce((sum, time) => sum + time, 0) }]
      })
}

function isRenderer(id: number): boolean {
  // Renderers are forked from a template and write their arguments anew, with spaces between them.
  return /--type=renderer(?:[\0 ]|$)/.test(textIn(`/proc/${id}/cmdline`))
}

function residentBytes(id: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(textIn(`/proc/${id}/status`))?.[1] ?? 0)
}

/** Processes come and go: what is gone is empty. */
function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
