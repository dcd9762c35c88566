import { utf8Bytes } from '../byte-alphabet.ts'
import { TokenizerFormatError } from '../errors.ts'
import type { Normalizer } from './normalizer.ts'

/**
 * `Precompiled`: SentencePiece's character map, a double-array trie (the units of Darts-clone) over UTF-8 followed by the replacements,
 * each ended by a zero. A grapheme of less than six bytes is replaced as a whole by what the shortest key at its start stands for, else
 * character by character. That is odd, and it is what the reference does and what vocabularies were trained with.
 *
 * @throws {TokenizerFormatError} a map that is cut off
 */
export function precompiledNormalizer(charsmap: Uint8Array, field: string): Normalizer {
  const map = readMap(charsmap, field)
  const cache = new Map<string, string | undefined>()
  const lookUp = (part: string) => {
    if (cache.has(part)) return cache.get(part)
    const found = replacementOf(map, part)
    if (cache.size < MAX_CACHED) cache.set(part, found)
    return found
  }
  const normalizeGrapheme = (grapheme: string) => {
    const whole = grapheme.length < LONG_GRAPHEME && utf8Bytes(grapheme).length < LONG_GRAPHEME ? lookUp(grapheme) : undefined
    if (whole !== undefined) return whole
    let written = ''
    for (const character of grapheme) written += lookUp(character) ?? character
    return written
  }
  return { normalize: (text) => graphemesOf(text, normalizeGrapheme) }
}

const MAX_CACHED = 20_000
const LONG_GRAPHEME = 6

interface CharacterMap {
  readonly units: Uint32Array
  readonly replacements: Uint8Array
}

function readMap(charsmap: Uint8Array, field: string): CharacterMap {
  const view = new DataView(charsmap.buffer, charsmap.byteOffset, charsmap.byteLength)
  const trieBytes = charsmap.byteLength >= 4 ? view.getUint32(0, true) : 0
  if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > charsmap.byteLength - 4)
    throw new TokenizerFormatError({
      found: `a trie of ${trieBytes} bytes in a map of ${charsmap.byteLength}`,
      expected: 'a whole number of 4-byte units inside of the map',
      field,
    })
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + i * 4, true))
  return { units, replacements: charsmap.subarray(4 + trieBytes) }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** What the shortest key at the start of `part` is replaced by. Units out of range end the walk, so a bad map does no harm. */
function replacementOf({ units, replacements }: CharacterMap, part: string): string | undefined {
  let node = offsetOf(units[0] ?? 0)
  for (const byte of utf8Bytes(part)) {
    if (byte === 0) return undefined
    node ^= byte
    const unit = units[node] ?? 0
    if ((unit & 0x800000ff) >>> 0 !== byte) return undefined
    node ^= offsetOf(unit)
    if (((unit >>> 8) & 1) === 0) continue
    const start = (units[node] ?? 0) & 0x7fffffff
    const end = replacements.indexOf(0, start)
    return decoder.decode(replacements.subarray(start, end < 0 ? replacements.length : end))
  }
  return undefined
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6)
}

/**
 * Applies a function to each grapheme. Characters below U+0300 that have none above as a neighbour are graphemes by themselves, except
 * for CR LF, so the segmenter is asked only about the rest.
 */
function graphemesOf(text: string, apply: (grapheme: string) => string): string {
  const parts: string[] = []
  let from = 0
  const simple = (end: number) => {
    for (; from < end; from++) {
      const isPair = text[from] === '\r' && text[from + 1] === '\n' && from + 1 < end
      parts.push(apply(isPair ? '\r\n' : text.charAt(from)))
      if (isPair) from++
    }
  }
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) < FIRST_COMPLEX) continue
    // A stretch takes its simple neighbours with it: a mark belongs to what precedes it, a prefixed sign to what follows.
    let start = Math.max(from, at - 1)
    if (text[start] === '\n' && text[start - 1] === '\r' && start > from) start--
    let end = at + 1
    while (end < text.length && (text.charCodeAt(end) >= FIRST_COMPLEX || text.charCodeAt(end + 1) >= FIRST_COMPLEX)) end++
    if (text[end] === '\r' && text[end + 1] === '\n') end++
    end = Math.min(text.length, end + 1)
    simple(start)
    for (const { segment } of segmenter().segment(text.slice(start, end))) parts.push(apply(segment))
    from = end
    at = end - 1
  }
  simple(text.length)
  return parts.join('')
}

const FIRST_COMPLEX = 0x300

let shared: Intl.Segmenter | undefined

function segmenter(): Intl.Segmenter {
  shared ??= new Intl.Segmenter('und', { granularity: 'grapheme' })
  return shared
}
