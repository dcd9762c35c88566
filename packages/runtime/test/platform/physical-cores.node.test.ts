import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { coresIn, physicalCores } from '../../src/platform/physical-cores.ts'

const cpuinfo = (...processors: readonly (readonly [socket: number, core: number])[]) =>
  processors.map(([socket, core], i) => `processor\t: ${i}\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: fpu\n`).join('\n')

test('two threads of a core count once, equal cores of two sockets twice', () => {
  expect(coresIn(cpuinfo([0, 0], [0, 1], [0, 0], [0, 1]))).toBe(2)
  expect(coresIn(cpuinfo([0, 0], [0, 1], [1, 0], [1, 1]))).toBe(4)
})

test('a list without cores says nothing', () => {
  expect(coresIn('processor\t: 0\nBogoMIPS\t: 108.00\n')).toBeUndefined()
})

test('never more threads than the process may use at once', async () => {
  const { cores, logical } = await physicalCores()
  expect(cores).toBeGreaterThanOrEqual(1)
  expect(cores).toBeLessThanOrEqual(logical)
  expect(logical).toBe(availableParallelism())
})
