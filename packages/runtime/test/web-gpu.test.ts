import { expect, test } from 'vitest'
import { describeGpu, type GpuAccess } from '../src/web-gpu.ts'

const gpu = (vendor: string, architecture: string, features: readonly string[] = []): GpuAccess => ({
  requestAdapter: async () => ({ info: { vendor, architecture, description: '' }, features: { has: (name) => features.includes(name) } }),
})

test.each<[string, GpuAccess | undefined, boolean, RegExp]>([
  ['a browser without WebGPU', undefined, true, /no navigator\.gpu.*provider: 'wasm'/],
  ['a page that came by http', undefined, false, /not in a secure context.*https or localhost/],
  ['a browser that offers no GPU', { requestAdapter: async () => null }, true, /without an adapter/],
])('%s is refused with the reason', async (_, access, isSecure, message) => {
  const found = describeGpu(access, isSecure)
  await expect(found).rejects.toMatchObject({ code: 'unsupported-device' })
  await expect(found).rejects.toThrow(message)
})

test('a GPU is named, with what it lacks', async () => {
  expect(await describeGpu(gpu('apple', 'metal-3', ['shader-f16']), true)).toEqual(['GPU: apple metal-3'])
  expect(await describeGpu(gpu('', ''), true)).toEqual(['GPU: its name is not told', 'the GPU has no float16 arithmetic'])
})

test('one that is computed in software says so', async () => {
  expect((await describeGpu(gpu('google', 'swiftshader'), true)).join()).toMatch(/in software/)
})
