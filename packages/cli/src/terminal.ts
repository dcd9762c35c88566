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
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly environment: Environment
  readonly home: string
  /** Calls back on Ctrl-C until the returned function is called. */
  onInterrupt(callback: () => void): () => void
}

export interface OutputStream extends ProgressStream {
  write(text: string): unknown
}

/** Whether somebody sits in front of it. */
export function isInteractive(terminal: Terminal): boolean {
  return terminal.out.isTTY === true && terminal.input.isTTY === true
}

export function processTerminal(process: NodeJS.Process): Terminal {
  return {
    out: process.stdout,
    err: process.stderr,
    screen: process.stdout,
    input: process.stdin,
    environment: process.env,
    home: homedir(),
    onInterrupt(callback) {
      process.on('SIGINT', callback)
      return () => process.off('SIGINT', callback)
    },
  }
}

export interface Style {
  dim(text: string): string
  bold(text: string): string
  accent(text: string): string
  warning(text: string): string
}

/** Colours where the stream is a terminal and `NO_COLOR` is not set. */
export function styleOf(stream: OutputStream, environment: Environment): Style {
  const isColoured = stream.isTTY === true && !environment.NO_COLOR
  const paint = (code: string) => (text: string) => (isColoured && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { dim: paint('2'), bold: paint('1'), accent: paint('36'), warning: paint('33') }
}
