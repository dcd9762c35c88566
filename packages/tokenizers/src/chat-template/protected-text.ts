/**
 * Special tokens written out in messages, tools and documents are text, not tokens. But once a template has put its control tokens
 * and those texts into one string, `<|im_end|>` of a user cannot be told from the template's own. So before rendering a marker is
 * put between the characters of every such occurrence: one character of the private use area that occurs nowhere else in the
 * template and the conversation, which trimming, splitting, replacing and JSON leave where it is. After rendering the markers are
 * taken out, and what stood beside them is protected.
 *
 * Also marked are a beginning of a special token at the end of a text, an end of one at the start, and a text that is the middle of
 * one, which the template might join with others. Texts without any of these, nearly all, reach the template as they are. Not seen
 * is a special token that comes to be only within the template: by deleting something out of the middle of a text, or out of three
 * texts of which the outer ones are single characters and the one between is a name.
 */
import { ChatTemplateError } from './chat-template-error.ts'

export interface SpecialTexts {
  readonly all: readonly string[]
  /** Finds whole special tokens, whatever their case. */
  readonly whole: RegExp | undefined
  readonly beginnings: ReadonlySet<string>
  readonly ends: ReadonlySet<string>
  readonly longest: number
}

export function specialTexts(texts: readonly string[]): SpecialTexts {
  const beginnings = new Set<string>()
  const ends = new Set<string>()
  for (const text of texts) {
    for (let length = 2; length < text.length; length++) {
      beginnings.add(text.slice(0, length))
      ends.add(text.slice(-length))
    }
  }
  const patterns = [...texts]
    .filter((text) => text.length > 1)
    .sort((one, other) => other.length - one.length)
    .map(escapePattern)
  return {
    all: texts,
    whole: patterns.length === 0 ? undefined : new RegExp(patterns.join('|'), 'gi'),
    beginnings,
    ends,
    longest: Math.max(0, ...texts.map(({ length }) => length)),
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** Names are no danger: templates build control tokens of them, as in `'<|' + role + '|>'`. */
const MIDDLE = /[^\w.-]/

/** The text with the marker inside of everything that could become a special token; the same text where there is nothing. */
export function markSpecialTexts(text: string, { all, whole, beginnings, ends, longest }: SpecialTexts, marker: string): string {
  const borders = new Set<number>()
  const addInside = (start: number, end: number): void => {
    for (let border = start + 1; border < end; border++) borders.add(border)
  }
  if (whole !== undefined) for (const match of text.matchAll(whole)) addInside(match.index, match.index + match[0].length)
  for (let length = 2; length < longest && length <= text.length; length++) {
    if (ends.has(text.slice(0, length))) addInside(0, length)
    if (beginnings.has(text.slice(-length))) addInside(text.length - length, text.length)
  }
  if (text.length < longest && MIDDLE.test(text) && all.some((special) => special.includes(text))) addInside(0, text.length)
  if (borders.size === 0) return text
  let marked = ''
  for (let at = 0; at < text.length; at++) marked += borders.has(at) ? marker + text[at] : text[at]
  return marked
}

/** The first character of the private use area that none of the texts has. */
export function unusedMarker(texts: readonly string[]): string {
  const used = new Set<string>()
  for (const text of texts) for (const [character] of text.matchAll(/[\ue000-\uf8ff]/g)) used.add(character)
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code)
    if (!used.has(character)) return character
  }
  throw new ChatTemplateError('input', 'a conversation with every character of the private use area', 'one that leaves one of them out')
}

/** Takes the markers out again. What stood beside one, a character on each side, is protected: start, end, start, end, … */
export function takeMarkersOut(rendered: string, marker: string): { readonly text: string; readonly ranges: number[] } {
  const parts = rendered.split(marker)
  const text = parts.join('')
  const ranges: number[] = []
  let position = 0
  for (const part of parts.slice(0, -1)) {
    position += part.length
    const start = Math.max(0, position - 1)
    const end = Math.min(text.length, position + 1)
    if (ranges.length > 0 && (ranges.at(-1) ?? 0) >= start) ranges[ranges.length - 1] = end
    else if (end > start) ranges.push(start, end)
  }
  return { text, ranges }
}
