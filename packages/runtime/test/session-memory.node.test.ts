// A file of its own: other tests compile wasm in the background, and that takes memory too.
import { loadRuntime } from '@foretoken/runtime'
import { expect, test } from 'vitest'
import { fixture, plain } from './fixture.ts'

const runtime = await loadRuntime()

test('two hundred sessions, opened, run and closed, leave memory as it was', async () => {
  const source = {
    kind: 'bytes',
    bytes: await fixture('external.onnx'),
    externalData: [{ path: 'external.bin', data: await fixture('external.bin') }],
  } as const
  const feeds = new Map([['x', plain('float32', [1000, 16], new Float32Array(16_000))]])
  const cycles = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await using session = await runtime.open(source, { threads: 2 })
      await session.run(feeds, ['y'])
    }
    return process.memoryUsage.rss() / 1e6
  }
  const before = await cycles(40)
  // Measured: 2 MB with disposal, 36 MB without.
  expect((await cycles(200)) - before).toBeLessThan(18)
})
