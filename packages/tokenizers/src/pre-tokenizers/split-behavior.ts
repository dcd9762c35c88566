import type { Piece } from './pre-tokenizer.ts'

/** What becomes of the delimiters that a text is split by. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

export const SPLIT_BEHAVIORS: readonly SplitBehavior[] = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']

/**
 * Cuts a piece at its delimiters. `The-final--countdown` at `-`: Removed `The|final|countdown`, Isolated `The|-|final|-|-|countdown`,
 * MergedWithPrevious `The-|final-|-|countdown`, MergedWithNext `The|-final|-|-countdown`, Contiguous `The|-|final|--|countdown`.
 *
 * @param found     [start, end, …] of the delimiters, ascending
 * @param isInverted  takes what lies between as the delimiters
 */
export function splitAt(piece: Piece, found: readonly number[], behavior: SplitBehavior, isInverted: boolean, pieces: Piece[]): void {
  const { text, start: offset } = piece
  const emit = (start: number, end: number) => {
    if (end > start) pieces.push({ text: text.slice(start, end), start: offset + start })
  }
  if (behavior === 'Isolated') {
    // What most tokenizers use; the order of parts and delimiters is all there is to it.
    let from = 0
    for (let i = 0; i < found.length; i += 2) {
      const start = found[i] ?? 0
      const end = found[i + 1] ?? 0
      emit(from, start)
      emit(start, end)
      from = end
    }
    emit(from, text.length)
    return
  }
  const parts = partsOf(text, found, isInverted)
  if (behavior === 'Removed') {
    for (const part of parts) if (!part.isDelimiter) emit(part.start, part.end)
    return
  }
  for (const { start, end } of joinParts(parts, behavior)) emit(start, end)
}

interface Part {
  readonly start: number
  readonly end: number
  readonly isDelimiter: boolean
}

/** The whole text as delimiters and what lies between them. */
function partsOf(text: string, found: readonly number[], isInverted: boolean): Part[] {
  const parts: Part[] = []
  let from = 0
  for (let i = 0; i < found.length; i += 2) {
    const start = found[i] ?? 0
    const end = found[i + 1] ?? 0
    if (start > from) parts.push({ start: from, end: start, isDelimiter: isInverted })
    parts.push({ start, end, isDelimiter: !isInverted })
    from = end
  }
  if (from < text.length) parts.push({ start: from, end: text.length, isDelimiter: isInverted })
  return parts
}

/** Joins each part to its left neighbour where the behaviour says so. */
function joinParts(parts: readonly Part[], behavior: SplitBehavior): Part[] {
  const joined: Part[] = []
  for (const [i, part] of parts.entries()) {
    const last = joined.at(-1)
    const before = parts[i - 1]
    const joins = before !== undefined && joinsLeft(before.isDelimiter, part.isDelimiter, behavior)
    if (last !== undefined && joins) joined[joined.length - 1] = { ...last, end: part.end }
    else joined.push(part)
  }
  return joined
}

function joinsLeft(isBefore: boolean, isThis: boolean, behavior: SplitBehavior): boolean {
  if (behavior === 'Contiguous') return isBefore === isThis
  if (behavior === 'MergedWithPrevious') return isThis && !isBefore
  return isBefore && !isThis
}
