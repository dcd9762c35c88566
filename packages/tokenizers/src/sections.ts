import type { AddedToken, AddedTokenMatcher } from './added-tokens.ts'
import type { Normalizer } from './normalizers/normalizer.ts'

/**
 * The first step of encoding: a text becomes sections, each either an added token or normalised text between such tokens. Tokens that
 * are sought in the text as written come first, then each stretch between them is normalised and searched for the others.
 * In protected ranges of the text special tokens are not found, not even ones that only overlap such a range.
 */
export type Section =
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'text'; readonly text: string; readonly start: number }

export interface SectionFinder {
  readonly normalizer?: Normalizer
  /** Tokens sought in the text as written. */
  readonly verbatim?: AddedTokenMatcher
  /** Tokens sought in the normalised text. */
  readonly normalized?: AddedTokenMatcher
}

/** A range [start, end) of the text, in UTF-16 code units. Ranges are ascending and do not overlap. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

export function findSections(finder: SectionFinder, text: string, protectedRanges: readonly TextRange[]): Section[] {
  const sections: Section[] = []
  const isAllowed = (start: number, end: number) => !overlaps(protectedRanges, start, end)
  const addStretch = (start: number, end: number) => {
    if (end > start) appendNormalized(finder, text.slice(start, end), start, protectedRanges, sections)
  }
  let from = 0
  for (const { token, start, end } of finder.verbatim?.findAll(text, isAllowed) ?? []) {
    addStretch(from, start)
    sections.push(tokenSection(token))
    from = end
  }
  addStretch(from, text.length)
  return sections
}

function tokenSection({ id }: AddedToken): Section {
  return { kind: 'token', id }
}

function appendNormalized(finder: SectionFinder, raw: string, offset: number, ranges: readonly TextRange[], sections: Section[]): void {
  const { normalizer } = finder
  const text = normalizer === undefined ? raw : normalizer.normalize(raw)
  let moved: TextRange[] | undefined
  const isAllowed = (start: number, end: number) => {
    // Only asked where a special token was found, which is rare in normalised text.
    moved ??= moveRanges(ranges, raw, offset, text, normalizer)
    return !overlaps(moved, start, end)
  }
  const addStretch = (start: number, end: number) => {
    if (end > start) sections.push({ kind: 'text', text: text.slice(start, end), start: offset + start })
  }
  let from = 0
  for (const { token, start, end } of finder.normalized?.findAll(text, isAllowed) ?? []) {
    addStretch(from, start)
    sections.push(tokenSection(token))
    from = end
  }
  addStretch(from, text.length)
}

function overlaps(ranges: readonly TextRange[], start: number, end: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranges[middle]?.end ?? 0) <= start) low = middle + 1
    else high = middle
  }
  const range = ranges[low]
  return range !== undefined && range.start < end
}

/**
 * Where the protected ranges of a stretch lie in its normalised form. A border is found by normalising what is before it and what is
 * after it; where the two do not meet in one place, everything between belongs to the range.
 */
function moveRanges(
  ranges: readonly TextRange[],
  raw: string,
  offset: number,
  text: string,
  normalizer: Normalizer | undefined,
): TextRange[] {
  const moved: TextRange[] = []
  for (const range of ranges) {
    const start = Math.max(0, range.start - offset)
    const end = Math.min(raw.length, range.end - offset)
    if (end <= start) continue
    if (normalizer === undefined) moved.push({ start, end })
    else moved.push({ start: commonPrefix(normalizer.normalize(raw.slice(0, start)), text), end: endOf(raw, end, text, normalizer) })
  }
  return moved
}

function endOf(raw: string, end: number, text: string, normalizer: Normalizer): number {
  const byPrefix = commonPrefix(normalizer.normalize(raw.slice(0, end)), text)
  return Math.max(byPrefix, text.length - commonSuffix(normalizer.normalize(raw.slice(end)), text))
}

function commonPrefix(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

function commonSuffix(one: string, other: string): number {
  let length = 0
  while (length < one.length && length < other.length && one.at(-1 - length) === other.at(-1 - length)) length++
  return length
}
