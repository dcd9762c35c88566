/** What the figures were measured on. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly platform: string
  readonly memoryBytes: number
  /** Instructions that decide about 8-bit products; `undefined` where the system does not say. */
  readonly features: { readonly avx2?: boolean; readonly avx512Vnni?: boolean; readonly avxVnni?: boolean }
  readonly threads: number
  /** Versions of Node and of the sides. */
  readonly versions: Readonly<Record<string, string>>
}

export function describeMachine(threads: number, versions: Readonly<Record<string, string>>): Machine {
  return {
    processor: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    memoryBytes: totalmem(),
    features: featuresFrom(readProcessorInformation()),
    threads,
    versions: { node: process.versions.node, ...versions },
  }
}

/** @param information  the text of /proc/cpuinfo of an x64 machine */
export function featuresFrom(information: string): Machine['features'] {
  const flags = /^flags\s*:(.*)$/m.exec(information)?.[1]
  if (flags === undefined) return {}
  const names = new Set(flags.trim().split(/\s+/))
  return { avx2: names.has('avx2'), avx512Vnni: names.has('avx512_vnni'), avxVnni: names.has('avx_vnni') }
}

function readProcessorInformation(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return ''
  }
}
