import { loadRuntime, type Session } from '@foretoken/runtime'
import type { Tensor } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { backend } from './backend.ts'
import { elementFeeds, fixture, plain } from './fixture.ts'

const runtime = await loadRuntime()

describe('a session', () => {
  const open = async (name: string) => runtime.open({ kind: 'bytes', bytes: await fixture(name) }, { name })

  test('names its library, version, provider and threads', () => {
    expect(runtime.version).toBe('1.30.0')
    expect(runtime.device.threads).toBeGreaterThanOrEqual(1)
    const provider = { node: 'cpu', 'node-wasm': 'wasm', 'chromium-wasm': 'wasm', 'chromium-webgpu': 'webgpu' }[backend]
    expect(runtime).toMatchObject({ name: backend === 'node' ? 'onnxruntime-node' : 'onnxruntime-web', device: { provider } })
  })

  test('lists inputs and outputs with their types and dimensions, symbolic ones by name', async () => {
    await using session = await open('elements.onnx')
    expect(session.inputs).toEqual([
      { name: 'single', type: 'float32', dims: ['rows', 3] },
      { name: 'half', type: 'float16', dims: [2] },
      { name: 'long', type: 'int64', dims: [2] },
      { name: 'int', type: 'int32', dims: [] },
      { name: 'flag', type: 'bool', dims: [2] },
      { name: 'byte', type: 'uint8', dims: [2] },
    ])
    expect(session.outputs.map(({ name }) => name)).toEqual([
      'single_doubled',
      'half_doubled',
      'long_doubled',
      'int_doubled',
      'flag_inverted',
      'byte_same',
    ])
  })

  test('reads views inside larger buffers of every element type, and returns plain tensors', async () => {
    await using session = await open('elements.onnx')
    const results = await session.run(
      elementFeeds(),
      session.outputs.map(({ name }) => name),
    )
    expect(Object.fromEntries(results)).toEqual({
      single_doubled: plain('float32', [2, 3], Float32Array.of(0, 2, 4, 6, 8, 10)),
      half_doubled: plain('float16', [2], Uint16Array.of(0x4000, 0xc500)),
      long_doubled: plain('int64', [2], BigInt64Array.of(2n ** 61n, -6n)),
      int_doubled: plain('int32', [], Int32Array.of(42)),
      flag_inverted: plain('bool', [2], Uint8Array.of(0, 1)),
      byte_same: plain('uint8', [2], Uint8Array.of(200, 255)),
    })
    for (const result of results.values()) expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
  })

  test('returns the outputs that were asked for and no others', async () => {
    await using session = await open('elements.onnx')
    expect([...(await session.run(elementFeeds(), ['int_doubled'])).keys()]).toEqual(['int_doubled'])
  })

  test('takes an empty dimension', async () => {
    await using session = await open('elements.onnx')
    expect((await session.run(elementFeeds(0), ['single_doubled'])).get('single_doubled')).toEqual(
      plain('float32', [0, 3], new Float32Array(0)),
    )
  })

  test('reads external data from memory', async () => {
    const externalData = [{ path: 'external.bin', data: await fixture('external.bin') }]
    await using session = await runtime.open({ kind: 'bytes', bytes: await fixture('external.onnx'), externalData })
    const x = plain('float32', [1, 16], new Float32Array(16).fill(1))
    // Column sums of 0, 1, …, 31 in two columns.
    expect((await session.run(new Map([['x', x]]), ['y'])).get('y')?.data).toEqual(Float32Array.of(240, 256))
  })

  test('answers overlapping runs each with its own result, in the order of the calls', async () => {
    await using session = await open('elements.onnx')
    const ended: number[] = []
    const runs = Array.from({ length: 8 }, async (_, i) => {
      const feeds = elementFeeds().set('int', plain('int32', [], Int32Array.of(i)))
      const results = await session.run(feeds, ['int_doubled'])
      ended.push(i)
      return results.get('int_doubled')?.data[0]
    })
    expect(await Promise.all(runs)).toEqual([0, 2, 4, 6, 8, 10, 12, 14])
    expect(ended).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  describe('refuses before the library sees it', () => {
    const cases: readonly [string, string, RegExp, (feeds: Map<string, Tensor>) => void][] = [
      ['a missing input', 'argument', /long.*no such feed/, (feeds) => feeds.delete('long')],
      ['an unknown input', 'argument', /other/, (feeds) => feeds.set('other', plain('int32', [], Int32Array.of(1)))],
      ['another element type', 'dtype', /int64.*int32/, (feeds) => feeds.set('int', plain('int64', [], BigInt64Array.of(1n)))],
      ['another rank', 'shape', /single.*\[6\].*\[rows, 3\]/, (feeds) => feeds.set('single', plain('float32', [6], new Float32Array(6)))],
      ['another fixed dimension', 'shape', /\[3, 2\]/, (feeds) => feeds.set('single', plain('float32', [3, 2], new Float32Array(6)))],
      [
        'fewer elements than dimensions say',
        'shape',
        /5 elements/,
        (feeds) => feeds.set('single', plain('float32', [2, 3], new Float32Array(5))),
      ],
      [
        'more elements than dimensions say',
        'shape',
        /7 elements/,
        (feeds) => feeds.set('single', plain('float32', [2, 3], new Float32Array(7))),
      ],
      ['a negative dimension', 'shape', /-2/, (feeds) => feeds.set('single', plain('float32', [-2, 3], new Float32Array(0)))],
      ['a fractional dimension', 'shape', /0\.5/, (feeds) => feeds.set('single', plain('float32', [0.5, 3], new Float32Array(0)))],
      [
        'an array of another kind',
        'dtype',
        /Float64Array/,
        (feeds) => feeds.set('single', Object.assign({}, feeds.get('single'), { data: new Float64Array(6) })),
      ],
      [
        'data on a device',
        'argument',
        /gpu-buffer/,
        (feeds) => feeds.set('int', { ...plain('int32', [], Int32Array.of(1)), location: 'gpu-buffer' }),
      ],
    ]
    test.each(cases)('%s', async (_, code, message, spoil) => {
      await using session = await open('elements.onnx')
      const feeds = elementFeeds()
      spoil(feeds)
      const run = session.run(feeds, ['int_doubled'])
      await expect(run).rejects.toMatchObject({ code, where: { file: 'elements.onnx' } })
      await expect(run).rejects.toThrow(message)
      await session.run(elementFeeds(), ['int_doubled'])
    })

    test('an output that is not there, and no output at all', async () => {
      await using session = await open('elements.onnx')
      await expect(session.run(elementFeeds(), ['none'])).rejects.toMatchObject({ code: 'argument' })
      await expect(session.run(elementFeeds(), [])).rejects.toMatchObject({ code: 'argument' })
    })

    test.each([0, -1, 1.5, Number.NaN, 1e6])('%d threads', async (threads) => {
      await expect(runtime.open({ kind: 'bytes', bytes: await fixture('elements.onnx') }, { threads })).rejects.toMatchObject({
        code: 'argument',
      })
    })
  })

  describe('wraps an error of the library', () => {
    test('in a run, and the session goes on', async () => {
      await using session = await open('reshape.onnx')
      const feeds = (rows: bigint) =>
        new Map<string, Tensor>([
          ['x', plain('float32', [4], Float32Array.of(1, 2, 3, 4))],
          ['shape', plain('int64', [2], BigInt64Array.of(rows, 2n))],
        ])
      const run = session.run(feeds(3n), ['y'])
      await expect(run).rejects.toMatchObject({ code: 'session', where: { file: 'reshape.onnx' } })
      await expect(run).rejects.toThrow(/reshape/i)
      expect((await session.run(feeds(2n), ['y'])).get('y')?.dims).toEqual([2, 2])
    })

    test.each([
      ['no bytes', new Uint8Array(0)],
      ['bytes that are no graph', Uint8Array.of(1, 2, 3)],
    ])('when it is given %s', async (_, bytes) => {
      await expect(runtime.open({ kind: 'bytes', bytes }, { name: 'broken' })).rejects.toMatchObject({
        code: 'session',
        where: { file: 'broken' },
      })
    })

    test('when external data are missing', async () => {
      const open = runtime.open({ kind: 'bytes', bytes: await fixture('external.onnx') })
      await expect(open).rejects.toMatchObject({ code: 'session' })
      await expect(open).rejects.toThrow(/external\.bin/)
    })
  })

  describe('an abort', () => {
    test('before opening or running rejects with the reason', async () => {
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(runtime.open({ kind: 'bytes', bytes: await fixture('elements.onnx') }, { signal })).rejects.toThrow('enough')
      await using session = await open('elements.onnx')
      await expect(session.run(elementFeeds(), ['int_doubled'], { signal })).rejects.toThrow('enough')
    })

    test('of a queued run leaves the run before it and the run after it alone', async () => {
      await using session = await open('elements.onnx')
      const controller = new AbortController()
      const before = session.run(elementFeeds(), ['int_doubled'])
      const queued = session.run(elementFeeds(), ['int_doubled'], { signal: controller.signal })
      const after = session.run(elementFeeds(), ['int_doubled'])
      controller.abort(new Error('enough'))
      await expect(queued).rejects.toThrow('enough')
      expect((await before).size).toBe(1)
      expect((await after).size).toBe(1)
    })
  })

  describe('disposal', () => {
    test('waits for a run under way, refuses queued and later ones, and may be repeated', async () => {
      const session: Session = await open('elements.onnx')
      const first = session.run(elementFeeds(), ['int_doubled'])
      await Promise.resolve()
      await Promise.resolve()
      const queued = session.run(elementFeeds(), ['int_doubled'])
      const disposals = [session[Symbol.asyncDispose](), session[Symbol.asyncDispose]()]
      expect((await first).get('int_doubled')?.data[0]).toBe(42)
      await expect(queued).rejects.toMatchObject({ code: 'disposed' })
      await Promise.all(disposals)
      await session[Symbol.asyncDispose]()
      await expect(session.run(elementFeeds(), ['int_doubled'])).rejects.toMatchObject({ code: 'disposed' })
    })

    test('leaves results valid', async () => {
      const session = await open('elements.onnx')
      const results = await session.run(elementFeeds(), ['single_doubled'])
      await session[Symbol.asyncDispose]()
      expect(results.get('single_doubled')?.data).toEqual(Float32Array.of(0, 2, 4, 6, 8, 10))
    })
  })
})
