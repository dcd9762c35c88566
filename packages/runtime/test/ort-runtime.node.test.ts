import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRuntime, loadWasmRuntime } from '@foretoken/runtime'
import { afterAll, describe, expect, test } from 'vitest'
import { fixture, plain } from './fixture.ts'
import { fixturePath } from './fixture-path.ts'

const runtime = await loadRuntime({ threads: 1 })
const x = plain('float32', [1, 16], new Float32Array(16).fill(1))

const folder = await mkdtemp(join(tmpdir(), 'foretoken-runtime-'))
afterAll(() => rm(folder, { recursive: true }))

/** The graph of `external.onnx` with another location of the same length for its data. */
async function graphNaming(location: string): Promise<Uint8Array> {
  expect(location).toHaveLength('external.bin'.length)
  const text = Buffer.from(await fixture('external.onnx')).toString('latin1')
  return new Uint8Array(Buffer.from(text.replaceAll('external.bin', location), 'latin1'))
}

describe('external data', () => {
  test('of a graph in memory are never looked for in the working directory', async () => {
    const before = process.cwd()
    process.chdir(fixturePath('.'))
    try {
      await expect(runtime.open({ kind: 'bytes', bytes: await fixture('external.onnx') })).rejects.toMatchObject({ code: 'session' })
    } finally {
      process.chdir(before)
    }
  })

  test('of a file that climb out of its folder are refused', async () => {
    await writeFile(join(folder, 'extrn.bin'), await fixture('external.bin'))
    const path = join(await mkdtemp(join(folder, 'graph-')), 'graph.onnx')
    await writeFile(path, await graphNaming('../extrn.bin'))
    await expect(runtime.open({ kind: 'file', path })).rejects.toMatchObject({ code: 'session', where: { file: path } })
  })

  test('that are shorter than the graph says are refused', async () => {
    const externalData = [{ path: 'external.bin', data: (await fixture('external.bin')).subarray(0, 100) }]
    await expect(runtime.open({ kind: 'bytes', bytes: await fixture('external.onnx'), externalData })).rejects.toMatchObject({
      code: 'session',
    })
  })
})

describe('files', () => {
  test('external data beside a graph are found by the native library', async () => {
    await using session = await runtime.open({ kind: 'file', path: fixturePath('external.onnx') })
    const x = plain('float32', [1, 16], new Float32Array(16).fill(1))
    expect((await session.run(new Map([['x', x]]), ['y'])).get('y')?.data).toEqual(Float32Array.of(240, 256))
  })

  test('a missing file is an error that names it', async () => {
    await expect(runtime.open({ kind: 'file', path: fixturePath('none.onnx') })).rejects.toThrow(/none\.onnx/)
  })

  test('a path is refused by the wasm library', async () => {
    const wasm = await loadWasmRuntime({ threads: 2 })
    await expect(wasm.open({ kind: 'file', path: fixturePath('external.onnx') })).rejects.toMatchObject({ code: 'argument' })
  })
})

describe('options', () => {
  test('of the configuration reach the library under their whole names', async () => {
    const config = { 'session.model_external_initializers_file_folder_path': fixturePath('.') }
    await using session = await runtime.open({ kind: 'bytes', bytes: await fixture('external.onnx') }, { config })
    expect((await session.run(new Map([['x', x]]), ['y'])).get('y')?.data).toEqual(Float32Array.of(240, 256))
  })

  test('of the configuration that are not strings are refused by name', async () => {
    const config: Record<string, string> = JSON.parse('{ "session.intra_op.allow_spinning": 0 }')
    const open = runtime.open({ kind: 'bytes', bytes: await fixture('elements.onnx') }, { config })
    await expect(open).rejects.toMatchObject({ code: 'argument', where: { field: "config['session.intra_op.allow_spinning']" } })
  })

  test('for optimisation and execution are all accepted by the library', async () => {
    const bytes = await fixture('elements.onnx')
    for (const graphOptimizationLevel of ['disabled', 'basic', 'extended', 'layout', 'all'] as const) {
      await using _ = await runtime.open({ kind: 'bytes', bytes }, { graphOptimizationLevel })
    }
    for (const executionMode of ['sequential', 'parallel'] as const) {
      await using _ = await runtime.open({ kind: 'bytes', bytes }, { executionMode })
    }
  })

  test.skipIf(platform() !== 'linux')('for threads start one fewer than they say, besides the calling one (needs /proc)', async () => {
    const bytes = await fixture('elements.onnx')
    const threads = async () => (await readdir('/proc/self/task')).length
    await using _warm = await runtime.open({ kind: 'bytes', bytes })
    const before = await threads()
    await using _one = await runtime.open({ kind: 'bytes', bytes }, { threads: 1 })
    expect((await threads()) - before).toBe(0)
    await using _four = await runtime.open({ kind: 'bytes', bytes }, { threads: 4 })
    expect((await threads()) - before).toBe(3)
  })

  test('of another number of threads than it was loaded with are refused by the wasm library', async () => {
    const wasm = await loadWasmRuntime({ threads: 2 })
    const bytes = await fixture('elements.onnx')
    await expect(wasm.open({ kind: 'bytes', bytes }, { threads: 3 })).rejects.toMatchObject({ code: 'argument' })
    await using _ = await wasm.open({ kind: 'bytes', bytes }, { threads: 2 })
    await expect(loadWasmRuntime({ threads: 3 })).rejects.toMatchObject({ code: 'argument' })
  })

  test('of no possible number of threads are refused when a runtime is loaded', async () => {
    await expect(loadRuntime({ threads: 0 })).rejects.toMatchObject({ code: 'argument' })
    await expect(loadWasmRuntime({ threads: 0.5 })).rejects.toMatchObject({ code: 'argument' })
  })
})
