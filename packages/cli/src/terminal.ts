/** What the commands see of the world: text out, text in, the environment. Tests pass another one. */
import { homedir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Environment } from './model-search/search-folders.ts'
import type { ProgressStream } from './progress-line.ts'

export interface Terminal {
  /** Results. */
  readonly out: OutputStream
  /** Progress, notes, errors. */
  readonly err: OutputStream
  /** Where a line that is being typed is shown. */
  readonly screen: Writable
  readonly input: TerminalInput
  readonly environment: Environment
  /** The user's home folder. */
  readonly home: string
  /** Calls back on Ctrl-C until the returned function is called; without a listener Ctrl-C ends the process. */
  onInterrupt(callback: () => void): () => void
  /** Calls back when the system asks the program to end, until the returned function is called. */
  onTermination(callback: () => void): () => void
  /** Calls back when results cannot be written, until the returned function is called. */
  onOutputError(callback: (error: Error) => void): () => void
  /** Resolves when the results so far are handed over, or could not be. */
  flush(): Promise<void>
}

export type OutputStream = ProgressStream

/** What is needed of `process.stdin`. */
export type TerminalInput = Readable & {
  readonly isTTY?: boolean
  /** In raw mode nothing that is typed is shown, and Ctrl-C is a character. */
  setRawMode?(isRaw: boolean): unknown
}

/** Whether somebody sits in front of it. */
export function isInteractive(terminal: Terminal): boolean {
  return terminal.out.isTTY === true && terminal.input.isTTY === true
}

/** Whether a stream is a terminal on which lines can be rewritten. */
export function isRewritable(stream: OutputStream, environment: Environment): boolean {
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

export function processTerminal(process: NodeJS.Process): Terminal {
  // without a listener the process would end with a stack; a broken stderr can be told to nobody
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const listen = (signals: readonly NodeJS.Signals[], callback: () => void) => {
    for (const signal of signals) process.on(signal, callback)
    return () => {
      for (const signal of signals) process.off(signal, callback)
    }
  }
  return {
    out: process.stdout,
    err: process.stderr,
    screen: process.stdout,
    input: process.stdin,
    environment: process.env,
    home: homedir(),
    onInterrupt: (callback) => listen(['SIGINT'], callback),
    onTermination: (callback) => listen(['SIGTERM', 'SIGHUP'], callback),
    onOutputError(callback) {
      process.stdout.on('error', callback)
      return () => process.stdout.off('error', callback)
    },
    flush: () => new Promise((resolve) => process.stdout.write('', () => resolve())),
  }
}

export interface Style {
  dim(text: string): string
  bold(text: string): string
  accent(text: string): string
  /** Another shade of text. */
  shade(text: string): string
}

/** Colours where the stream is a terminal that knows them and `NO_COLOR` is not set. */
export function styleOf(stream: OutputStream, environment: Environment): Style {
  const isColoured = isRewritable(stream, environment) && !environment.NO_COLOR
  const paint = (code: string) => (text: string) => (isColoured && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { dim: paint('2'), bold: paint('1'), accent: paint('36'), shade: paint('32') }
}
