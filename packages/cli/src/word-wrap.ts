/**
 * Text that comes in pieces, broken between words to the width of a terminal. A word that turns out too long for its line is erased and
 * begun again on the next one. The last column stays free: a terminal that has filled it waits with wrapping, and moving its cursor in
 * that state loses a character.
 */
import { cellWidth } from './cell-width.ts'

export interface WordWrap {
  /** What to write for the next piece of text. Of control characters it knows line ends and tabs. */
  push(text: string): string
}

const TAB = 4

/** @param columns  of the terminal, asked for each piece */
export function wordWrap(columns: () => number): WordWrap {
  let column = 0
  /** The last word of the line, while it lasts. */
  let word = ''
  let wordWidth = 0

  /** A line end before a character that does not fit, behind the word that it belongs to. */
  function breakLine(width: number, limit: number): string {
    const movesWord = wordWidth > 0 && wordWidth < column && wordWidth + width <= limit
    column = movesWord ? wordWidth : 0
    if (movesWord) return `\u001b[${wordWidth}D\u001b[K\n${word}`
    endWord()
    return '\n'
  }

  function endWord(): void {
    word = ''
    wordWidth = 0
  }

  return {
    push(text) {
      const limit = Math.max(2, columns() - 1)
      let out = ''
      for (const character of text) {
        if (character === '\n') {
          out += '\n'
          column = 0
          endWord()
          continue
        }
        const isSpace = character === ' ' || character === '\t'
        const width = isSpace ? (character === '\t' ? TAB : 1) : cellWidth(character)
        if (isSpace) endWord()
        if (column + width > limit) {
          out += breakLine(width, limit)
          // the line end stands for the space
          if (isSpace) continue
        }
        out += character === '\t' ? ' '.repeat(TAB) : character
        column += width
        // between wide characters a line may end anywhere
        if (isSpace || width === 2) endWord()
        else {
          word += character
          wordWidth += width
        }
      }
      return out
    },
  }
}
