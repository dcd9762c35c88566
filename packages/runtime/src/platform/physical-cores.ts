/**
 * How many threads a matrix product gains from: one per physical core. Hyperthreads share the multipliers, and a container may
 * be allowed fewer cores than the machine has.
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism, platform } from 'node:os'

export async function physicalCores(): Promise<{ readonly cores: number; readonly logical: number }> {
  const logical = Math.max(1, availableParallelism())
  if (platform() !== 'linux') return { cores: logical, logical }
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  return { cores: Math.min(logical, coresIn(text) ?? logical), logical }
}

/** Distinct pairs of socket and core in the text of `/proc/cpuinfo`; undefined where it does not list them (ARM). */
export function coresIn(cpuinfo: string): number | undefined {
  const cores = new Set<string>()
  for (const processor of cpuinfo.split('\n\n')) {
    const socket = /^physical id\s*:\s*(\d+)/m.exec(processor)?.[1]
    const core = /^core id\s*:\s*(\d+)/m.exec(processor)?.[1]
    if (socket !== undefined && core !== undefined) cores.add(`${socket}/${core}`)
  }
  return cores.size === 0 ? undefined : cores.size
}
