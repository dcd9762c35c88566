/** The worker of Node from the sources: without a build there is no other. */
import { Worker } from 'node:worker_threads'

export function nodeWorker(): Worker {
  return new Worker(new URL('../src/entry.ts', import.meta.url), { execArgv: ['--conditions=foretoken-source'] })
}
