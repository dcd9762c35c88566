/** What a page, a web worker or Node offers to a wasm library: vector instructions, and memory that threads can share. */
import { UnsupportedDeviceError } from './errors.ts'

/** A function that multiplies pairs of 16-bit integers and adds them (`i32x4.dot_i16x8_s`), the instruction of the integer kernels. */
const VECTOR_MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // type: () -> v128
  ...[0x03, 0x02, 0x01, 0x00], // one function of that type
  ...[0x0a, 0x0f, 0x01, 0x0d, 0x00], // its body, 13 bytes, no locals
  ...[0x41, 0x00, 0xfd, 0x0f], // i32.const 0, i8x16.splat
  ...[0x41, 0x00, 0xfd, 0x0f],
  ...[0xfd, 0xba, 0x01, 0x0b], // i32x4.dot_i16x8_s, end
)

/** @throws {UnsupportedDeviceError} where there is no WebAssembly, or one without vector instructions */
export function requireWasm(engine: Pick<typeof WebAssembly, 'validate'> | null = globalThis.WebAssembly ?? null): void {
  if (engine === null) {
    throw new UnsupportedDeviceError({ found: 'no WebAssembly', expected: 'a browser that has it, and has not switched it off' })
  }
  if (!engine.validate(VECTOR_MODULE)) {
    throw new UnsupportedDeviceError({
      found: 'WebAssembly without vector instructions (SIMD)',
      expected: 'Chrome or Edge 91, Firefox 89, Safari 16.4, or later',
    })
  }
}

export interface ThreadChoice {
  readonly threads: number
  /** Why there are fewer than one might expect. */
  readonly notes: readonly string[]
}

/** More threads than this gain nothing for products of a few rows, and each holds a stack. */
const MOST_THREADS = 4

/**
 * Threads of the wasm library in a page or a web worker.
 *
 * @param asked       by the caller; chosen when absent: half of the processors, which are hyperthreads mostly, but two where there are two
 * @param isIsolated  whether the page is cross-origin isolated, without which threads share no memory
 * @param processors  as the browser tells, undefined where it does not
 */
export function wasmThreads(asked: number | undefined, isIsolated: boolean, processors: number | undefined): ThreadChoice {
  if (!isIsolated && asked !== 1) {
    const wish = asked === undefined ? '' : ` instead of ${asked}`
    const note = `1 thread${wish}: the page is not cross-origin isolated. It becomes so with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp`
    return { threads: 1, notes: [note] }
  }
  if (asked !== undefined) return { threads: asked, notes: [] }
  if (processors === undefined) return { threads: 1, notes: ['1 thread: the browser does not tell how many processors there are'] }
  return { threads: Math.min(MOST_THREADS, Math.max(Math.min(2, processors), Math.floor(processors / 2))), notes: [] }
}
