/**
 * Special tokens written out in messages, tools and documents are text, not tokens. But once a template has put its control tokens
 * and those texts into one string, `<|im_end|>` of a user cannot be told from the template's own. So the conversation is rendered
 * with stand-ins: each character of it that special tokens are made of, such as `<`, `|` and `]`, is replaced by a character of the
 * private use area that occurs nowhere else. Lengths, positions and white space stay as they are, and whatever the template does
 * (trim, delete, split, join, reverse), a special token in the result has been written by the template. Afterwards each character
 * takes its place again, and is protected there.
 *
 * What a template looks for in messages (`'</think>' in content`) it must still find: texts that its own source compares with or
 * hands to a filter or method are left as they are, if they can be no part of a special token. Names are left too, since templates
 * build control tokens of them (`'<|' + role + '|>'`). A special token that is a word without any sign is only found as a whole.
 */
import { ChatTemplateError } from './chat-template-error.ts'

export interface SpecialTexts {
  /** A regular expression for what stand-ins are put for: single signs, and special tokens without any; '' where there is nothing. */
  readonly signs: string
  /** Whether a text has nothing in common with any special token, so that none can reach into it. */
  isApart(text: string): boolean
  /** The special tokens in a text, in their order, as one text to compare. */
  tokensIn(text: string): string
}

/** Letters, digits, `_`, `.`, `-` and white space are in all texts; the rest tells special tokens from them. */
const SIGN = /[^\w.\s-]/g

export function specialTexts(texts: readonly string[]): SpecialTexts {
  const signs = new Set(texts.flatMap((text) => text.match(SIGN) ?? []))
  const words = texts.filter((text) => text !== '' && text.search(SIGN) < 0)
  const classes = signs.size === 0 ? [] : [`[${[...signs, ...variantsOf(signs)].map(codeUnit).join('')}]`]
  const starts = new Set<string>()
  const ends = new Set<string>()
  for (const text of texts) {
    for (let length = 1; length < text.length; length++) {
      starts.add(text.slice(0, length))
      ends.add(text.slice(-length))
    }
  }
  const lengths = Array.from({ length: Math.max(0, ...texts.map(({ length }) => length)) }, (_, index) => index + 1)
  const whole = new RegExp(alternatives(texts.map((text) => text.normalize('NFKD'))), 'gi')
  return {
    signs: [...classes, ...alternativesOf(words)].join('|'),
    isApart(text) {
      if (texts.some((special) => special.includes(text) || text.includes(special))) return false
      return !lengths.some((length) => starts.has(text.slice(-length)) || ends.has(text.slice(0, length)))
    },
    tokensIn: (text) => (texts.length === 0 ? '' : (text.normalize('NFKD').match(whole) ?? []).join('\n')),
  }
}

/** Where characters are that Unicode decomposes into others with signs among them. */
const COMPATIBILITY = [
  [0xa0, 0x3ff],
  [0x1f00, 0x33ff],
  [0xfb00, 0xffff],
] as const

/** Characters such as the full-width `＜`, which a normalizer may turn into a sign. */
function variantsOf(signs: ReadonlySet<string>): string[] {
  const variants: string[] = []
  for (const [from, to] of COMPATIBILITY) {
    for (let code = from; code <= to; code++) {
      const character = String.fromCharCode(code)
      const decomposed = character.normalize('NFKD')
      if (decomposed !== character && Array.from(decomposed).some((part) => signs.has(part))) variants.push(character)
    }
  }
  return variants
}

function codeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The longest first. */
function alternativesOf(texts: readonly string[]): string[] {
  return [...texts]
    .sort((one, other) => other.length - one.length)
    .map((text) => Array.from({ length: text.length }, (_, at) => codeUnit(text.slice(at, at + 1))).join(''))
}

function alternatives(texts: readonly string[]): string {
  return alternativesOf(texts).join('|')
}

export interface StandIns {
  /** What each stand-in stands for; complete when all texts have been given to `put`. */
  readonly originals: ReadonlyMap<string, string>
  put(text: string): string
}

/**
 * @param special   what must not come to be
 * @param literals  texts that the template looks for
 * @param foreign   the texts of the conversation
 * @param others    all other texts that the rendering may contain
 * @returns         undefined when there is nothing to put them for
 */
export function standInsFor(
  special: SpecialTexts,
  literals: readonly string[],
  foreign: readonly string[],
  others: readonly string[],
): StandIns | undefined {
  if (special.signs === '') return undefined
  const sign = new RegExp(special.signs)
  if (!foreign.some((text) => sign.test(text))) return undefined
  const kept = new Set(literals.filter((literal) => literal.length > 1 && sign.test(literal) && special.isApart(literal)))
  const pattern = new RegExp([...alternativesOf([...kept]), special.signs].join('|'), 'g')
  const unused = unusedCharacters([...foreign, ...others])
  const standIns = new Map<string, string>()
  const originals = new Map<string, string>()
  const standInFor = (character: string): string => {
    const known = standIns.get(character)
    if (known !== undefined) return known
    const { value } = unused.next()
    if (value === undefined) {
      throw new ChatTemplateError('input', 'a conversation with every character of the private use area', 'one that leaves some out')
    }
    standIns.set(character, value)
    originals.set(value, character)
    return value
  }
  return {
    originals,
    put: (text) =>
      text.replace(pattern, (match) => {
        if (match.length === 1) return standInFor(match)
        return match === text || kept.has(match) ? match : standInFor(match.slice(0, 1)) + match.slice(1)
      }),
  }
}

function* unusedCharacters(texts: readonly string[]): Generator<string, undefined> {
  const used = new Set<string>()
  for (const text of texts) for (const [character] of text.matchAll(/[\ue000-\uf8ff]/g)) used.add(character)
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code)
    if (!used.has(character)) yield character
  }
}

/** Puts the characters back. They are protected, and so is what lies between two of them without a sign: start, end, start, end, … */
export function takeStandInsOut(
  rendered: string,
  { signs }: SpecialTexts,
  originals: StandIns['originals'],
): { readonly text: string; readonly ranges: number[] } {
  if (originals.size === 0) return { text: rendered, ranges: [] }
  const standIn = `[${[...originals.keys()].map(codeUnit).join('')}]`
  const ranges: number[] = []
  let isOpen = false
  const pattern = new RegExp(`${standIn}+|${signs}`, 'g')
  for (let found = pattern.exec(rendered); found !== null; found = pattern.exec(rendered)) {
    const isStandIn = originals.has(found[0].slice(0, 1))
    if (isStandIn && isOpen) ranges[ranges.length - 1] = pattern.lastIndex
    else if (isStandIn) ranges.push(found.index, pattern.lastIndex)
    isOpen = isStandIn
  }
  let text = rendered
  for (const [character, original] of originals) text = text.replaceAll(character, () => original)
  return { text, ranges }
}
