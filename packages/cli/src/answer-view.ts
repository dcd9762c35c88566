/**
 * An answer while it is being written: the text as it comes, and on a terminal a line below it with the tokens so far and their rate. On wish tokens
 * that were drafted, and so came several at a time, have another shade.
 * The line is redrawn around each piece: the cursor is saved, the line below is cleared or written, the cursor comes back.
 */
import type { FinishReason, GenerationPiece, GenerationStatistics, PrefillProgress, VerifiedDrafts } from '@foretoken/generation'
import { draftDecisions, draftSummary } from './draft-lines.ts'
import type { Environment } from './model-search/search-folders.ts'
import { printableText } from './printable-text.ts'
import { isRewritable, type OutputStream, styleOf } from './terminal.ts'
import { type Paint, wordWrap } from './word-wrap.ts'

/** Index down and cursor up: makes sure that there is a line below, scrolling if need be, without leaving the column. */
const ROOM_BELOW = '\u001bD\u001b[A'
const SAVE = '\u001b7'
const RESTORE = '\u001b8'
const NEXT_LINE = '\u001b[E'
const CLEAR_LINE = '\u001b[K'

/** The rate is that of the last so many tokens, so that it follows what happens. */
const RECENT_TOKENS = 16

export interface AnswerView {
  /** While the prompt is computed. */
  prefill(progress: PrefillProgress): void
  /** Before the pieces of a step that verified drafts. */
  drafts(drafts: VerifiedDrafts): void
  show(piece: GenerationPiece): void
  /** Ends the answer's last line; says how it went. */
  end(isInterrupted: boolean): void
}

export interface AnswerViewOptions {
  /** Whether to show which tokens were drafted, and in the end what drafts brought. Default false. */
  readonly showsDrafts?: boolean
  /** Milliseconds, growing. */
  readonly clock?: () => number
}

export function answerView(
  out: OutputStream,
  err: OutputStream,
  environment: Environment,
  { showsDrafts = false, clock = () => performance.now() }: AnswerViewOptions = {},
): AnswerView {
  const style = styleOf(out, environment)
  const line = isRewritable(out, environment) ? lineBelow(out) : undefined
  const times: number[] = []
  let tokens = 0
  let accepted = 0
  /** Of the pieces that come next. */
  let draftedPieces = 0
  let last: GenerationPiece | undefined
  return {
    prefill({ done, total }) {
      line?.show('', style.dim, `prompt: ${done} of ${total} tokens`)
    },
    drafts(drafts) {
      draftedPieces = drafts.accepted
      accepted += drafts.accepted
    },
    show(piece) {
      last = piece
      const paint = draftedPieces > 0 && showsDrafts ? style.shade : undefined
      draftedPieces = Math.max(0, draftedPieces - piece.ids.length)
      tokens += piece.ids.length
      times.push(clock())
      if (times.length > RECENT_TOKENS) times.shift()
      const drafts = showsDrafts ? `  ${accepted} of them drafted` : ''
      if (line !== undefined) line.show(piece.text, style.dim, `${tokens} tokens${drafts}  ${rateOf(times)}`, paint)
      // into a file or a pipe the text goes as it is
      else if (piece.text !== '') out.write(out.isTTY === true ? printableText(piece.text) : piece.text)
    },
    end(isInterrupted) {
      line?.clear()
      if (last !== undefined) out.write('\n')
      const facts = isInterrupted ? [`stopped after ${tokens} tokens`] : []
      if (last?.statistics !== undefined) facts.push(...summary(last.statistics, last.finishReason))
      const speculation = showsDrafts ? last?.statistics?.speculation : undefined
      const lines = [facts.join(', '), ...(speculation === undefined ? [] : [draftSummary(speculation), draftDecisions(speculation)])]
      for (const text of lines) if (text !== '') writeNote(err, environment, `(${text})`)
    },
  }
}

/** On a terminal broken between words, elsewhere one line. */
function writeNote(err: OutputStream, environment: Environment, text: string): void {
  const { dim } = styleOf(err, environment)
  err.write(`${isRewritable(err, environment) ? wordWrap(() => err.columns ?? 80).push(text, dim) : dim(text)}\n`)
}

/** The text, and the line below it. */
function lineBelow(out: OutputStream) {
  const columns = () => out.columns ?? 80
  const wrap = wordWrap(columns)
  let isDrawn = false
  const clearing = () => (isDrawn ? `${SAVE}${NEXT_LINE}${CLEAR_LINE}${RESTORE}` : '')
  return {
    show(text: string, paintLine: Paint, line: string, paint?: Paint): void {
      const written = `${clearing()}${wrap.push(printableText(text), paint)}`
      isDrawn = true
      out.write(`${written}${ROOM_BELOW}${SAVE}${NEXT_LINE}${paintLine(line.slice(0, columns() - 1))}${CLEAR_LINE}${RESTORE}`)
    },
    clear(): void {
      if (isDrawn) out.write(clearing())
      isDrawn = false
    },
  }
}

function rateOf(times: readonly number[]): string {
  const elapsedMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
  return elapsedMs > 0 ? `${(((times.length - 1) * 1000) / elapsedMs).toFixed(0)} tokens/s` : ''
}

function summary(statistics: GenerationStatistics, finishReason: FinishReason | undefined): string[] {
  const { newTokens, tokensPerSecond, prefillMs, promptTokens, reusedTokens } = statistics
  const reused = reusedTokens > 0 ? `, ${reusedTokens} of them reused` : ''
  return [
    // the first token belongs to the prefill: it has no rate
    `${newTokens} tokens${newTokens > 1 ? ` at ${tokensPerSecond.toFixed(1)} tokens/s` : ''}`,
    `prompt of ${promptTokens} tokens${reused} in ${prefillMs.toFixed(0)} ms`,
    ...(finishReason === 'length' ? ['ended by the limit of tokens'] : []),
  ]
}
