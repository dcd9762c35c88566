import { ArgumentError } from '@foretoken/tensor'

const MAX_THREADS = 1024

/** @throws {ArgumentError} for what cannot be a number of threads */
export function checkThreads(threads: number, file?: string): number {
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new ArgumentError({
      ...(file === undefined ? {} : { file }),
      field: 'threads',
      found: String(threads),
      expected: `a whole number from 1 to ${MAX_THREADS}`,
    })
  }
  return threads
}
