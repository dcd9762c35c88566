import type { InferenceSessionFactory } from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { createRuntime } from '../src/ort-runtime.ts'
import type { SessionOptions } from '../src/session.ts'

/** What the library is told when a graph is opened. */
async function toldLibrary(isNative: boolean, options: SessionOptions): Promise<unknown> {
  let told: unknown
  const sessions = {
    create: (_: unknown, given: unknown) => {
      told = given
      return Promise.reject(new Error('enough'))
    },
  } as unknown as InferenceSessionFactory
  const device = { provider: 'cpu', threads: 1, notes: [] } as const
  const runtime = createRuntime({ name: 'onnxruntime-node', version: '1', device, sessions, isNative })
  await expect(runtime.open({ kind: 'bytes', bytes: new Uint8Array(1) }, options)).rejects.toThrow('enough')
  return told
}

test.each([
  [{}, false],
  [{ keepsBuffers: true }, true],
])('with %j the native library keeps freed buffers: %j', async (options, kept) => {
  expect(await toldLibrary(true, options)).toMatchObject({ enableCpuMemArena: kept })
})

test('the wasm library has a heap of its own and is told nothing about buffers', async () => {
  expect(await toldLibrary(false, {})).not.toHaveProperty('enableCpuMemArena')
})
