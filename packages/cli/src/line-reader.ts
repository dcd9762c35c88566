/**
 * Lines that are typed into a terminal, with editing and a history. While an answer is written the terminal is held instead: what is
 * typed then is not shown in the middle of the answer, but is there when the next line is asked for.
 */
import { createInterface } from 'node:readline/promises'
import type { Terminal } from './terminal.ts'

export interface LineReader {
  /** The next line; undefined at the end of the input, and on Ctrl-C in an empty line. Ctrl-C in another line throws that line away. */
  next(): Promise<string | undefined>
  /** Keeps what is typed from the screen until the returned function is called. */
  hold(onInterrupt: () => void): () => void
}

const HISTORY_LINES = 200
const CTRL_C = '\u0003'
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys that are no text
const KEYS = /\u001b\[[0-9;]*[A-Za-z~]|\u001b.|[\u0000-\u000c\u000e-\u001f\u007f]/g

/** @param signal  ends the line that is being typed */
export function lineReader({ input, screen }: Terminal, prompt: string, signal: AbortSignal): LineReader {
  let history: string[] = []
  /** Lines that came together with another one. */
  const further: string[] = []
  let typedAhead = ''

  function read(): Promise<string | undefined> {
    const lines = createInterface({ input, output: screen, terminal: true, history: [...history], historySize: HISTORY_LINES, prompt })
    return new Promise((resolve) => {
      let result: string | undefined
      let hasLine = false
      const end = () => lines.close()
      signal.addEventListener('abort', end, { once: true })
      lines
        .on('history', (entries) => {
          history = entries
        })
        .on('line', (line) => {
          if (hasLine) further.push(line)
          else result = line
          hasLine = true
          // the other lines of what was pasted are in the same chunk of input
          setImmediate(end)
        })
        .on('SIGINT', () => {
          if (lines.line === '') return end()
          screen.write('^C\n')
          lines.write(null, { ctrl: true, name: 'e' })
          lines.write(null, { ctrl: true, name: 'u' })
        })
        .on('close', () => {
          signal.removeEventListener('abort', end)
          if (!hasLine) screen.write('\n')
          resolve(result)
        })
      lines.prompt()
      const typed = typedAhead
      typedAhead = ''
      if (typed !== '') lines.write(typed)
    })
  }

  return {
    async next() {
      const line = further.shift()
      if (line === undefined) return read()
      screen.write(`${prompt}${line}\n`)
      return line
    },
    hold(onInterrupt) {
      const take = (chunk: Buffer | string) => {
        const text = chunk.toString()
        if (text.includes(CTRL_C)) onInterrupt()
        else typedAhead += text.replace(KEYS, '')
      }
      input.setRawMode?.(true)
      input.on('data', take).resume()
      return () => {
        input.off('data', take).pause()
        input.setRawMode?.(false)
      }
    },
  }
}
