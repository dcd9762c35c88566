/** The same model in a worker and in this thread, which is the reference. */
import { type CausalLM, type LoadOptions, loadCausalLM } from '@foretoken/models'
import { type HostedModel, type HostOptions, loadInWorker, type ModelSource, type WorkerLike } from '@foretoken/worker'
import { inject } from 'vitest'
import { openSource } from '../src/host/open-source.ts'
import { type TinyModelOptions, tinyModel } from './tiny-model.ts'

declare module 'vitest' {
  interface ProvidedContext {
    backend: 'node' | 'node-wasm' | 'chromium-wasm' | 'chromium-webgpu'
  }
}

const backend = inject('backend')
const isNode = backend.startsWith('node')

/** A worker that runs the sources. */
export async function workerOfSources(): Promise<() => WorkerLike> {
  if (isNode) return (await import('./node-worker.ts')).nodeWorker
  return () => new Worker(new URL('../src/entry.ts', import.meta.url), { type: 'module' })
}

const options = { format: 'f32', threads: 1, selfTest: true } as const

export async function hosted(source: ModelSource = tinyModel(), more: HostOptions = {}): Promise<HostedModel> {
  // a page finds the worker's script by itself, as Node does when it is built
  return loadInWorker(source, { ...options, ...(isNode ? { worker: await workerOfSources() } : {}), ...more })
}

export async function inThread(model: TinyModelOptions = {}, more: LoadOptions = {}): Promise<CausalLM> {
  const files = [...tinyModel(model)].map(([name, data]) => ({ name, data }))
  const checkpoint = await openSource({ kind: 'files', files }, new AbortController().signal)
  return loadCausalLM(checkpoint, { ...options, ...more })
}
