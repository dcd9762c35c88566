/** The methods of `str` that templates may call. */

import { formatBraces } from './brace-format.ts'
import { ArgumentReader } from './call-arguments.ts'
import { joinTexts, type MarkedText, mapWhole, plainText, sliceText } from './marked-text.ts'
import { isPythonSpace } from './python-whitespace.ts'
import {
  capitalizeText,
  codePointLength,
  codePointOffsets,
  joinWith,
  justifyText,
  replaceText,
  splitAt,
  splitAtSpaces,
  stripText,
  titleText,
} from './text-operations.ts'
import {
  type CallArguments,
  elementsOf,
  evaluationError,
  isSequence,
  isText,
  listValue,
  tupleValue,
  typeName,
  type Value,
} from './value.ts'
import type { WorkMeter } from './work-meter.ts'

export type Method<T> = (self: T, args: CallArguments, meter: WorkMeter) => Value

/** Letters, digits and the like: `isalpha`, … need at least one character. */
function everyCharacter(name: string, pattern: RegExp): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      new ArgumentReader(name, args, [])
      meter.scan(self.text.length)
      return pattern.test(self.text)
    },
  ]
}

function changed(name: string, change: (text: string) => string): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      new ArgumentReader(name, args, [])
      meter.scan(self.text.length)
      return mapWhole(self, change)
    },
  ]
}

function stripping(name: string, side: 'left' | 'right' | 'both'): [string, Method<MarkedText>] {
  return [name, (self, args, meter) => stripText(self, side, new ArgumentReader(name, args, ['chars']).optionalText('chars')?.text, meter)]
}

function splitting(name: string, fromEnd: boolean): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      const read = new ArgumentReader(name, args, ['sep', 'maxsplit'])
      const separator = read.optionalText('sep')
      const limit = read.integer('maxsplit', -1)
      return listValue(
        separator === undefined ? splitAtSpaces(self, limit, fromEnd, meter) : splitAt(self, separator.text, limit, fromEnd, meter),
      )
    },
  ]
}

function partitioning(name: string, fromEnd: boolean): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      const separator = new ArgumentReader(name, args, ['sep']).text('sep')
      meter.search(self.text.length, separator.text.length)
      const at = fromEnd ? self.text.lastIndexOf(separator.text) : self.text.indexOf(separator.text)
      if (at < 0) return tupleValue(fromEnd ? [plainText(''), plainText(''), self] : [self, plainText(''), plainText('')])
      const end = at + separator.text.length
      return tupleValue([sliceText(self, 0, at), sliceText(self, at, end), sliceText(self, end)])
    },
  ]
}

function affix(
  name: string,
  holds: (text: string, part: string, offsets: { start: number; end: number }) => boolean,
): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      const read = new ArgumentReader(name, args, ['part', 'start', 'end'])
      const wanted = read.required('part')
      const range = rangeOf(self.text, read, meter)
      const parts = isSequence(wanted) && wanted.kind === 'tuple' ? wanted.items : [wanted]
      return parts.some((part) => {
        if (!isText(part)) throw evaluationError(`a ${typeName(part)} for ${name}`, 'text or a tuple of texts')
        meter.makeText(part.text.length)
        return range.start + part.text.length <= range.end && holds(self.text, part.text, range)
      })
    },
  ]
}

function finding(name: string, fromEnd: boolean, mustExist: boolean): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      const read = new ArgumentReader(name, args, ['sub', 'start', 'end'])
      const wanted = read.text('sub').text
      const { start, end } = rangeOf(self.text, read, meter)
      meter.search(self.text.length, wanted.length)
      const part = self.text.slice(start, end)
      const at = fromEnd ? part.lastIndexOf(wanted) : part.indexOf(wanted)
      if (at >= 0) return codePointLength(self.text.slice(0, start + at), meter)
      if (mustExist) throw evaluationError('a text that is not there', 'one that is')
      return -1
    },
  ]
}

/** `start` and `end`, given in code points, as UTF-16 offsets. */
function rangeOf(text: string, read: ArgumentReader, meter: WorkMeter): { start: number; end: number } {
  if (read.optional('start') === undefined && read.optional('end') === undefined) return { start: 0, end: text.length }
  const offsets = codePointOffsets(text, meter)
  const length = offsets === undefined ? text.length : offsets.length - 1
  const clamp = (position: number): number => {
    const bounded = Math.min(Math.max(position < 0 ? position + length : position, 0), length)
    return offsets?.[bounded] ?? bounded
  }
  const start = clamp(read.integer('start', 0))
  return { start, end: Math.max(start, clamp(read.integer('end', length))) }
}

function padding(name: string, side: 'left' | 'right' | 'center'): [string, Method<MarkedText>] {
  return [
    name,
    (self, args, meter) => {
      const read = new ArgumentReader(name, args, ['width', 'fillchar'])
      return justifyText(self, read.integer('width'), read.optionalText('fillchar')?.text ?? ' ', side, meter)
    },
  ]
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python breaks lines at these too.
const LINE_BREAK = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g

function splitLines(self: MarkedText, args: CallArguments, meter: WorkMeter): Value {
  const keepEnds = new ArgumentReader('splitlines', args, ['keepends']).optional('keepends') === true
  meter.scan(self.text.length)
  const lines: MarkedText[] = []
  let start = 0
  for (const { 0: ending, index } of self.text.matchAll(LINE_BREAK)) {
    meter.spend(1)
    lines.push(sliceText(self, start, index + (keepEnds ? ending.length : 0)))
    start = index + ending.length
  }
  if (start < self.text.length) lines.push(sliceText(self, start))
  return listValue(lines)
}

export const TEXT_METHODS: ReadonlyMap<string, Method<MarkedText>> = new Map<string, Method<MarkedText>>([
  changed('upper', (text) => text.toUpperCase()),
  changed('lower', (text) => text.toLowerCase()),
  changed('casefold', (text) => text.toLowerCase()),
  changed('swapcase', (text) =>
    text.replace(/\p{L}/gu, (letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase())),
  ),
  ['capitalize', (self, _args, meter) => capitalizeText(self, meter)],
  ['title', (self, _args, meter) => titleText(self, meter)],
  stripping('strip', 'both'),
  stripping('lstrip', 'left'),
  stripping('rstrip', 'right'),
  splitting('split', false),
  splitting('rsplit', true),
  ['splitlines', splitLines],
  partitioning('partition', false),
  partitioning('rpartition', true),
  affix('startswith', (text, part, { start }) => text.startsWith(part, start)),
  affix('endswith', (text, part, { end }) => text.endsWith(part, end)),
  finding('find', false, false),
  finding('rfind', true, false),
  finding('index', false, true),
  finding('rindex', true, true),
  [
    'count',
    (self, args, meter) => {
      const wanted = new ArgumentReader('count', args, ['sub']).text('sub').text
      if (wanted === '') return codePointLength(self.text, meter) + 1
      return splitAt(self, wanted, -1, false, meter).length - 1
    },
  ],
  [
    'replace',
    (self, args, meter) => {
      const read = new ArgumentReader('replace', args, ['old', 'new', 'count'])
      return replaceText(self, read.text('old').text, read.text('new'), read.integer('count', -1), meter)
    },
  ],
  [
    'removeprefix',
    (self, args) => {
      const prefix = new ArgumentReader('removeprefix', args, ['prefix']).text('prefix').text
      return self.text.startsWith(prefix) ? sliceText(self, prefix.length) : self
    },
  ],
  [
    'removesuffix',
    (self, args) => {
      const suffix = new ArgumentReader('removesuffix', args, ['suffix']).text('suffix').text
      return suffix !== '' && self.text.endsWith(suffix) ? sliceText(self, 0, self.text.length - suffix.length) : self
    },
  ],
  [
    'join',
    (self, args, meter) => {
      const pieces = elementsOf(new ArgumentReader('join', args, ['iterable']).required('iterable'), meter).map((piece) => {
        if (isText(piece)) return piece
        throw evaluationError(`a ${typeName(piece)} in join`, 'text')
      })
      return joinWith(self, pieces, meter)
    },
  ],
  ['format', (self, args, meter) => formatBraces(self, args, meter)],
  padding('ljust', 'left'),
  padding('rjust', 'right'),
  padding('center', 'center'),
  [
    'zfill',
    (self, args, meter) => {
      const width = new ArgumentReader('zfill', args, ['width']).integer('width')
      const signed = /^[-+]/.test(self.text) ? 1 : 0
      const missing = width - codePointLength(self.text, meter)
      if (missing <= 0) return self
      meter.makeText(width)
      return joinTexts(sliceText(self, 0, signed), plainText('0'.repeat(missing)), sliceText(self, signed))
    },
  ],
  everyCharacter('isalpha', /^\p{L}+$/u),
  everyCharacter('isalnum', /^[\p{L}\p{N}]+$/u),
  everyCharacter('isdigit', /^[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089]+$/u),
  everyCharacter('isdecimal', /^\p{Nd}+$/u),
  everyCharacter('isnumeric', /^\p{N}+$/u),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is defined by them.
  everyCharacter('isascii', /^[\x00-\x7f]*$/),
  everyCharacter('isidentifier', /^[\p{ID_Start}_]\p{ID_Continue}*$/u),
  [
    'isspace',
    (self, _args, meter) => {
      meter.scan(self.text.length)
      for (let index = 0; index < self.text.length; index++) if (!isPythonSpace(self.text.charCodeAt(index))) return false
      return self.text.length > 0
    },
  ],
  ['isupper', (self, _args, meter) => hasOnlyCase(self, meter, (text) => text.toUpperCase())],
  ['islower', (self, _args, meter) => hasOnlyCase(self, meter, (text) => text.toLowerCase())],
  ['istitle', (self, _args, meter) => /\p{L}/u.test(self.text) && titleText(self, meter).text === self.text],
])

/** Letters without case do not count, and at least one with case must be there. */
function hasOnlyCase({ text }: MarkedText, meter: WorkMeter, change: (text: string) => string): boolean {
  meter.scan(text.length)
  return text === change(text) && text.toLowerCase() !== text.toUpperCase()
}
