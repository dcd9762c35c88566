/**
 * Text that comes in pieces, broken between words to the width of a terminal. A word that turns out too long for its line is erased and
 * begun again on the next one, in the colours that it had. The last column stays free: a terminal that has filled it waits with wrapping, and moving
 * its cursor in that state loses a character.
 */
import { cellWidth } from './cell-width.ts'

/** Makes text appear in a colour. */
export type Paint = (text: string) => string

export interface WordWrap {
  /** What to write for the next piece of text. Of control characters it knows line ends and tabs. */
  push(text: string, paint?: Paint): string
}

const TAB = 4
const PLAIN: Paint = (text) => text

/** @param columns  of the terminal, asked for each piece */
export function wordWrap(columns: () => number): WordWrap {
  let column = 0
  /** The last word of the line, while it lasts, in parts of one colour. */
  let word: { text: string; readonly paint: Paint }[] = []
  let wordWidth = 0

  /** A line end before a character that does not fit, behind the word that it belongs to. */
  function breakLine(width: number, limit: number): string {
    const movesWord = wordWidth > 0 && wordWidth < column && wordWidth + width <= limit
    column = movesWord ? wordWidth : 0
    if (movesWord) return `\u001b[${wordWidth}D\u001b[K\n${word.map(({ text, paint }) => paint(text)).join('')}`
    endWord()
    return '\n'
  }

  function endWord(): void {
    word = []
    wordWidth = 0
  }

  function addToWord(character: string, width: number, paint: Paint): void {
    const last = word.at(-1)
    if (last?.paint === paint) last.text += character
    else word.push({ text: character, paint })
    wordWidth += width
  }

  return {
    push(text, paint = PLAIN) {
      const limit = Math.max(2, columns() - 1)
      let out = ''
      /** Not yet painted. */
      let run = ''
      const unpainted = (sequence: string) => {
        out += paint(run) + sequence
        run = ''
      }
      for (const character of text) {
        if (character === '\n') {
          unpainted('\n')
          column = 0
          endWord()
          continue
        }
        const isSpace = character === ' ' || character === '\t'
        const width = isSpace ? (character === '\t' ? TAB : 1) : cellWidth(character)
        if (isSpace) endWord()
        if (column + width > limit) {
          unpainted(breakLine(width, limit))
          // the line end stands for the space
          if (isSpace) continue
        }
        run += character === '\t' ? ' '.repeat(TAB) : character
        column += width
        // between wide characters a line may end anywhere
        if (isSpace || width === 2) endWord()
        else addToWord(character, width, paint)
      }
      unpainted('')
      return out
    },
  }
}
