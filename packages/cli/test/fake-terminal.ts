import { PassThrough } from 'node:stream'
import type { Environment } from '../src/model-search/search-folders.ts'
import type { Terminal } from '../src/terminal.ts'

export interface FakeTerminal extends Terminal {
  readonly input: PassThrough & { isTTY?: boolean }
  readonly screen: PassThrough
  /** What was written so far. */
  outText(): string
  errText(): string
  screenText(): string
  /** Presses Ctrl-C. */
  interrupt(): void
  terminate(): void
  failOutput(error: Error): void
  /** Whether Ctrl-C is still listened to. */
  readonly listeners: number
}

/** @param options  `isTTY` of all three streams; called with each text that goes out */
export function fakeTerminal({
  isTTY = false,
  environment = {},
  home = '/nowhere',
  onOut,
}: {
  readonly isTTY?: boolean
  readonly environment?: Environment
  readonly home?: string
  readonly onOut?: (text: string) => void
} = {}): FakeTerminal {
  const written = { out: '', err: '', screen: '' }
  const screen = new PassThrough()
  screen.setEncoding('utf8').on('data', (text: string) => {
    written.screen += text
  })
  const input: PassThrough & { isTTY?: boolean } = new PassThrough()
  input.isTTY = isTTY
  const interrupts = new Set<() => void>()
  const terminations = new Set<() => void>()
  const errors = new Set<(error: Error) => void>()
  const listen = <T>(listeners: Set<T>, listener: T) => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
  return {
    out: {
      isTTY,
      columns: 80,
      write(text) {
        written.out += text
        onOut?.(text)
      },
    },
    err: {
      isTTY,
      columns: 80,
      write(text) {
        written.err += text
      },
    },
    screen,
    input,
    environment,
    home,
    onInterrupt: (callback) => listen(interrupts, callback),
    onTermination: (callback) => listen(terminations, callback),
    onOutputError: (callback) => listen(errors, callback),
    flush: () => Promise.resolve(),
    outText: () => written.out,
    errText: () => written.err,
    screenText: () => written.screen,
    interrupt: () => {
      for (const callback of interrupts) callback()
    },
    terminate: () => {
      for (const callback of terminations) callback()
    },
    failOutput: (error) => {
      for (const callback of errors) callback(error)
    },
    get listeners() {
      return interrupts.size + terminations.size + errors.size
    },
  }
}
