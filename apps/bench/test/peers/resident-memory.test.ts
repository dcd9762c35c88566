import { expect, test } from 'vitest'
import { peakFromStatus } from '../../src/peers/resident-memory.ts'

test('the peak is the high-water mark of resident memory, in bytes', () => {
  expect(peakFromStatus('VmPeak:\t  900 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 1000 kB\n')).toBe(1234 * 1024)
})

test('where the system keeps none there is none', () => {
  expect(peakFromStatus('')).toBeUndefined()
})
