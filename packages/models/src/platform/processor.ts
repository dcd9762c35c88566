/** What decides which kernels a runtime takes: the model of the processor and its instructions. */
import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus } from 'node:os'

export async function describeProcessor(): Promise<string> {
  // a virtual machine that moves to another host may keep the model and lose instructions
  const information = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(information)?.[1] ?? ''
  return `${cpus()[0]?.model.trim() ?? 'unknown'} ${arch()}, ${availableParallelism()} processors, ${flags}`
}
