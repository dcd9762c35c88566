import { expect, test } from 'vitest'
import { requireWasm, wasmThreads } from '../src/wasm-support.ts'

test('where the tests run there is wasm with vector instructions', () => {
  expect(() => requireWasm()).not.toThrow()
})

test('wasm without vector instructions, and none at all, are refused by name', () => {
  expect(() => requireWasm({ validate: () => false })).toThrow(/without vector instructions \(SIMD\).*Safari 16\.4/)
  expect(() => requireWasm(null)).toThrow(/no WebAssembly/)
})

test('the module that is tried holds the instruction of the integer kernels', () => {
  let tried: Uint8Array | undefined
  requireWasm({
    validate(bytes) {
      tried = bytes instanceof Uint8Array ? bytes : undefined
      return true
    },
  })
  // i32x4.dot_i16x8_s is 0xfd 0xba 0x01 in the SIMD proposal's table
  expect([...(tried ?? [])].join(' ')).toContain([0xfd, 0xba, 0x01].join(' '))
})

test.each([
  [undefined, true, 8, 4],
  [undefined, true, 6, 3],
  [undefined, true, 4, 2],
  [undefined, true, 3, 2],
  [undefined, true, 2, 2],
  [undefined, true, 1, 1],
  [6, true, 2, 6],
  [1, false, 8, 1],
])('%s threads asked for, isolated: %s, %d processors: %d threads and nothing to say', (asked, isIsolated, processors, threads) => {
  expect(wasmThreads(asked, isIsolated, processors)).toEqual({ threads, notes: [] })
})

test('a page that is not isolated has one thread, whatever was asked for, and says how it becomes isolated', () => {
  expect(wasmThreads(undefined, false, 8)).toMatchObject({
    threads: 1,
    notes: [expect.stringMatching(/^1 thread: .*Embedder-Policy: require-corp/)],
  })
  expect(wasmThreads(4, false, 8)).toMatchObject({ threads: 1, notes: [expect.stringMatching(/^1 thread instead of 4: /)] })
})

test('a browser that hides its processors gets one thread, and it is said', () => {
  expect(wasmThreads(undefined, true, undefined)).toMatchObject({ threads: 1, notes: [expect.stringContaining('does not tell')] })
})
