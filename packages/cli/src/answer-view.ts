/**
 * An answer while it is being written: the text as it comes, and on a terminal a line below it with the tokens so far and their rate.
 * The line is redrawn around each piece: the cursor is saved, the line below is cleared or written, the cursor comes back.
 */
import type { GenerationPiece, GenerationStatistics } from '@foretoken/generation'
import type { Environment } from './model-search/search-folders.ts'
import { type OutputStream, styleOf } from './terminal.ts'

/** Index down and cursor up: makes sure that there is a line below, scrolling if need be, without leaving the column. */
const ROOM_BELOW = '\u001bD\u001b[A'
const SAVE = '\u001b7'
const RESTORE = '\u001b8'
const NEXT_LINE = '\u001b[E'
const CLEAR_LINE = '\u001b[K'

/** The rate is that of the last so many tokens, so that it follows what happens. */
const RECENT_TOKENS = 16

export interface AnswerView {
  show(piece: GenerationPiece): void
  /** Ends the answer's last line; says how it went. */
  end(statistics: GenerationStatistics | undefined, isInterrupted: boolean): void
}

/** @param clock  milliseconds, growing */
export function answerView(
  out: OutputStream,
  err: OutputStream,
  environment: Environment,
  clock: () => number = () => performance.now(),
): AnswerView {
  const isLive = out.isTTY === true
  const style = styleOf(out, environment)
  const times: number[] = []
  let tokens = 0
  const below = (text: string) => `${ROOM_BELOW}${SAVE}${NEXT_LINE}${text}${CLEAR_LINE}${RESTORE}`
  return {
    show({ text, ids }) {
      tokens += ids.length
      times.push(clock())
      if (times.length > RECENT_TOKENS) times.shift()
      if (!isLive) {
        out.write(text)
        return
      }
      const first = times[0] ?? 0
      const last = times.at(-1) ?? 0
      const rate = last > first ? `${(((times.length - 1) * 1000) / (last - first)).toFixed(0)} tokens/s` : ''
      out.write(`${below('')}${text}${below(style.dim(`${tokens} tokens  ${rate}`))}`)
    },
    end(statistics, isInterrupted) {
      out.write(isLive ? `${below('')}\n` : '\n')
      const facts = isInterrupted ? ['stopped'] : []
      if (statistics !== undefined) facts.push(...summary(statistics))
      if (facts.length > 0) err.write(`${styleOf(err, environment).dim(`(${facts.join(', ')})`)}\n`)
    },
  }
}

function summary({ newTokens, tokensPerSecond, prefillMs, promptTokens, reusedTokens }: GenerationStatistics): string[] {
  const reused = reusedTokens > 0 ? `, ${reusedTokens} of them reused` : ''
  return [
    `${newTokens} tokens at ${tokensPerSecond.toFixed(1)} tokens/s`,
    `prompt of ${promptTokens} tokens${reused} in ${prefillMs.toFixed(0)} ms`,
  ]
}
