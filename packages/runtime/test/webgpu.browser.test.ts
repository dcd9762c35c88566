/** In a page with a software GPU, which has no float16: the graph of most other tests needs that. */
import { expect, test } from 'vitest'
import { loadRuntime } from '../src/index.ts'
import { fixture, plain } from './fixture.ts'

const runtime = await loadRuntime({ provider: 'webgpu', threads: 2 })

test('the device says what it is, and that it is computed in software', () => {
  expect(runtime.device).toMatchObject({ provider: 'webgpu', threads: 2 })
  expect(runtime.device.notes[0]).toMatch(/^GPU: .*swiftshader/i)
  expect(runtime.device.notes[1]).toMatch(/in software/)
})

test('wasm and WebGPU are two libraries that live side by side and agree', async () => {
  const wasm = await loadRuntime({ provider: 'wasm', threads: 2 })
  const x = plain(
    'float32',
    [3, 16],
    Float32Array.from({ length: 48 }, (_, at) => (at % 7) - 3),
  )
  for (const each of [runtime, wasm]) {
    const externalData = [{ path: 'external.bin', data: await fixture('external.bin') }]
    await using session = await each.open({ kind: 'bytes', bytes: await fixture('external.onnx'), externalData })
    const y = (await session.run(new Map([['x', x]]), ['y'])).get('y')
    // w [16, 2] holds 0, 1, …, 31 row by row
    const expected = Array.from({ length: 6 }, (_, at) => {
      let sum = 0
      for (let i = 0; i < 16; i++) sum += (x.data[Math.floor(at / 2) * 16 + i] ?? 0) * (2 * i + (at % 2))
      return sum
    })
    expect([...(y?.data ?? [])]).toEqual(expected)
  }
})
