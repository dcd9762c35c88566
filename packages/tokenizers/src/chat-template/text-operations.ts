/** Operations on marked text that methods and filters share, by Python's rules: positions are code points, whitespace is Unicode's. */
import { joinTexts, type MarkedText, mapWhole, plainText, sliceText, TextBuilder } from './marked-text.ts'
import { endBeforeSpaces, isPythonSpace, skipSpaces } from './python-whitespace.ts'
import { evaluationError } from './value.ts'
import type { WorkMeter } from './work-meter.ts'

const SURROGATE = /[\ud800-\udfff]/

export function codePointLength(text: string, meter: WorkMeter): number {
  meter.scan(text.length)
  if (!SURROGATE.test(text)) return text.length
  let length = 0
  for (const _ of text) length += 1
  return length
}

/** UTF-16 offset of each code point and of the end; undefined when the two are the same. */
export function codePointOffsets(text: string, meter: WorkMeter): Int32Array | undefined {
  meter.scan(text.length)
  if (!SURROGATE.test(text)) return undefined
  const offsets = new Int32Array(text.length + 1)
  let count = 0
  let position = 0
  for (const character of text) {
    offsets[count++] = position
    position += character.length
  }
  offsets[count++] = position
  return offsets.subarray(0, count)
}

export type Side = 'left' | 'right' | 'both'

/** `strip`, `lstrip`, `rstrip`. @param characters  what to strip; whitespace when undefined */
export function stripText(source: MarkedText, side: Side, characters: string | undefined, meter: WorkMeter): MarkedText {
  meter.scan(source.text.length)
  const { text } = source
  if (characters === undefined) {
    const start = side === 'right' ? 0 : skipSpaces(text, 0)
    return sliceText(source, start, side === 'left' ? text.length : endBeforeSpaces(text, start))
  }
  const stripped = new Set(characters)
  let start = 0
  let end = text.length
  if (side !== 'right') {
    for (const character of text) {
      if (!stripped.has(character)) break
      start += character.length
    }
  }
  while (side !== 'left' && end > start) {
    const low = text.charCodeAt(end - 1)
    const width = low >= 0xdc00 && low <= 0xdfff && end - 2 >= start && stripped.has(text.slice(end - 2, end)) ? 2 : 1
    if (width === 1 && !stripped.has(text[end - 1] ?? '')) break
    end -= width
  }
  return sliceText(source, start, end)
}

/** `split` and `rsplit` at a separator. @param limit  at most so many cuts; negative for all */
export function splitAt(source: MarkedText, separator: string, limit: number, fromEnd: boolean, meter: WorkMeter): MarkedText[] {
  if (separator === '') throw evaluationError('an empty separator', 'a text')
  meter.search(source.text.length, separator.length)
  const cuts: number[] = []
  if (fromEnd) {
    for (let at = source.text.lastIndexOf(separator); at >= 0 && cuts.length !== limit; ) {
      cuts.push(at)
      meter.spend(1)
      at = at - separator.length < 0 ? -1 : source.text.lastIndexOf(separator, at - separator.length)
    }
    cuts.reverse()
  } else {
    for (
      let at = source.text.indexOf(separator);
      at >= 0 && cuts.length !== limit;
      at = source.text.indexOf(separator, at + separator.length)
    ) {
      cuts.push(at)
      meter.spend(1)
    }
  }
  const pieces: MarkedText[] = []
  let start = 0
  for (const cut of cuts) {
    pieces.push(sliceText(source, start, cut))
    start = cut + separator.length
  }
  pieces.push(sliceText(source, start))
  return pieces
}

/** `split` and `rsplit` at runs of whitespace. */
export function splitAtSpaces(source: MarkedText, limit: number, fromEnd: boolean, meter: WorkMeter): MarkedText[] {
  meter.scan(source.text.length)
  const { text } = source
  const ranges: [number, number][] = []
  for (let start = skipSpaces(text, 0); start < text.length; ) {
    let end = start
    while (end < text.length && !isPythonSpace(text.charCodeAt(end))) end += 1
    ranges.push([start, end])
    meter.spend(1)
    start = skipSpaces(text, end)
  }
  if (limit >= 0 && ranges.length > limit + 1) {
    if (fromEnd) {
      const joined = ranges.splice(0, ranges.length - limit)
      ranges.unshift([joined[0]?.[0] ?? 0, joined.at(-1)?.[1] ?? 0])
    } else {
      const joined = ranges.splice(limit)
      ranges.push([joined[0]?.[0] ?? 0, text.length])
    }
  }
  return ranges.map(([start, end]) => sliceText(source, start, end))
}

/** `replace`. @param limit  at most so many; negative for all */
export function replaceText(source: MarkedText, old: string, replacement: MarkedText, limit: number, meter: WorkMeter): MarkedText {
  if (limit === 0) return source
  if (old === '') return insertEverywhere(source, replacement, limit, meter)
  meter.search(source.text.length, old.length)
  const builder = new TextBuilder()
  let position = 0
  let count = 0
  for (let at = source.text.indexOf(old); at >= 0 && count !== limit; at = source.text.indexOf(old, position)) {
    builder.add(sliceText(source, position, at))
    builder.add(replacement)
    meter.makeText(builder.length)
    position = at + old.length
    count += 1
  }
  if (count === 0) return source
  builder.add(sliceText(source, position))
  meter.makeText(builder.length)
  return builder.finish()
}

/** Replacing nothing puts the text between all characters and at both ends. */
function insertEverywhere(source: MarkedText, replacement: MarkedText, limit: number, meter: WorkMeter): MarkedText {
  const builder = new TextBuilder()
  let count = 0
  let position = 0
  for (const character of source.text) {
    if (count === limit) break
    builder.add(replacement)
    builder.add(sliceText(source, position, position + character.length))
    meter.makeText(builder.length)
    position += character.length
    count += 1
  }
  builder.add(sliceText(source, position))
  if (count !== limit) builder.add(replacement)
  return builder.finish()
}

/** `join`: the pieces with the separator between them. */
export function joinWith(separator: MarkedText, pieces: readonly MarkedText[], meter: WorkMeter): MarkedText {
  const builder = new TextBuilder()
  pieces.forEach((piece, index) => {
    if (index > 0) builder.add(separator)
    builder.add(piece)
    meter.makeText(builder.length)
  })
  return builder.finish()
}

export function capitalizeText(source: MarkedText, meter: WorkMeter): MarkedText {
  meter.scan(source.text.length)
  const first = String.fromCodePoint(source.text.codePointAt(0) ?? 32).length
  if (source.text === '') return source
  return joinTexts(
    mapWhole(sliceText(source, 0, Math.min(first, source.text.length)), (text) => text.toUpperCase()),
    mapWhole(sliceText(source, Math.min(first, source.text.length)), (text) => text.toLowerCase()),
  )
}

/** `str.title`: a capital at the start of every run of letters. */
export function titleText(source: MarkedText, meter: WorkMeter): MarkedText {
  meter.scan(source.text.length)
  return mapWhole(source, (text) => text.replace(/\p{L}+/gu, capitalizeWord))
}

/** The filter `title`: only spaces, hyphens and opening brackets end a word there. */
export function titleFilter(source: MarkedText, meter: WorkMeter): MarkedText {
  meter.scan(source.text.length)
  return mapWhole(source, (text) => text.replace(/[^-\s({[<]+/gu, capitalizeWord))
}

function capitalizeWord(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 32)
  return first.toUpperCase() + word.slice(first.length).toLowerCase()
}

/** Indents all lines but, by default, the first and the empty ones. */
export function indentText(source: MarkedText, indent: string, first: boolean, blank: boolean, meter: WorkMeter): MarkedText {
  const lines = splitAt(source, '\n', -1, false, meter)
  const builder = new TextBuilder()
  lines.forEach((line, index) => {
    if (index > 0) builder.addString('\n', false)
    if (index === 0 ? first : blank || line.text !== '') builder.addString(indent, false)
    builder.add(line)
    meter.makeText(builder.length)
  })
  return builder.finish()
}

/** Pads to a number of code points. */
export function justifyText(
  source: MarkedText,
  width: number,
  fill: string,
  side: 'left' | 'right' | 'center',
  meter: WorkMeter,
): MarkedText {
  const missing = width - codePointLength(source.text, meter)
  if (missing <= 0) return source
  meter.makeText(source.text.length + missing)
  // Python's rule for an odd rest: the extra place goes left when the width is odd.
  const left = side === 'left' ? 0 : side === 'right' ? missing : (missing >> 1) + (missing & width & 1)
  return joinTexts(plainText(fill.repeat(left)), source, plainText(fill.repeat(missing - left)))
}
