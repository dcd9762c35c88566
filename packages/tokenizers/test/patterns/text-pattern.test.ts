import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PatternError } from '../../src/errors.ts'
import { GPT2_PATTERN, HARMLESS_PATTERNS } from '../../src/patterns/known-patterns.ts'
import { findAllLinear } from '../../src/patterns/linear-matcher.ts'
import { compileLinearProgram } from '../../src/patterns/linear-program.ts'
import { nativeSource } from '../../src/patterns/native-pattern.ts'
import { parsePattern } from '../../src/patterns/parse-pattern.ts'
import { compilePattern, nativePattern } from '../../src/patterns/text-pattern.ts'

function matches(pattern: string, text: string): string[] {
  const found = compilePattern(pattern, 'test').findAll(text)
  const parts: string[] = []
  for (let i = 0; i < found.length; i += 2) parts.push(text.slice(found[i], found[i + 1]))
  return parts
}

const letters = [..."aAbB '’sSſtTrReE  \n\r\t\u00851,2.…/中é\u0301Ωλ٣½$_-Ǆ😀𐐀\u3000\ufeff\u200dKk"]
const texts = fc.array(fc.constantFrom(...letters), { maxLength: 30 }).map((characters) => characters.join(''))

const OTHERS = [
  '(a+)+b',
  '(?:a|A)*?b|\\s',
  '\\p{N}{1,3}(?=(?:\\p{N}{3})*(?:\\P{N}|$))',
  '(?<=a|bS)t*',
  '(?i:[a-k]ſ)+|(?<!a)b',
  '[^\\s]+(?=\\s|$)|\\b\\s',
  '(?>a*)[ab]|\\A.|^\\w+$',
]

describe('both engines find the same', () => {
  test.each([...HARMLESS_PATTERNS, ...OTHERS])('%s', (pattern) => {
    const tree = parsePattern(pattern, 'test')
    const program = compileLinearProgram(tree, 'test')
    const native = nativePattern(nativeSource(tree))
    fc.assert(
      fc.property(texts, (text) => {
        expect(findAllLinear(program, text)).toEqual(native.findAll(text))
      }),
      { numRuns: 300 },
    )
  })
})

describe('no pattern takes more than time proportional to the text', () => {
  const LENGTH = 50_000
  test.each([
    ['(a+)+b', 'a'],
    ['(a|aa)+$x', 'a'],
    ['(a*a)*b', 'a'],
    ['a*a*a*a*b|c', 'a'],
    ['\\s+$x', ' '],
    ['a*+b', 'a'],
    [`${'a?'.repeat(40)}${'a'.repeat(40)}b`, 'a'],
    [`(?:${'a|'.repeat(20)}a){1,20}b`, 'a'],
    ['\\p{N}{1,3}(?=(?:\\p{N}{3})+(?!\\p{N}))', '1'],
    ['(?=(a+)+b)a', 'a'],
  ])('%s on a long run of %j', (pattern, letter) => {
    expect(() => compilePattern(pattern, 'test').findAll(letter.repeat(LENGTH))).not.toThrow()
  })

  test.each([...HARMLESS_PATTERNS])('%s on long runs', (pattern) => {
    for (const letter of ['a', 'A', ' ', '\n', '1', '.', '中', '\u0301', '\r ', "'"]) {
      expect(() => compilePattern(pattern, 'test').findAll(letter.repeat(LENGTH))).not.toThrow()
    }
  })
})

describe('what Oniguruma means', () => {
  test('white space has U+0085 and not U+FEFF', () => {
    expect(matches('\\s', '\u0085\ufeff\u00a0')).toEqual(['\u0085', '\u00a0'])
    expect(matches('[^\\S\\n]', '\n \t')).toEqual([' ', '\t'])
  })
  test('case folding reaches the long s and the Kelvin sign', () => {
    expect(matches("(?i:'s|k)", "'S'ſ\u212a")).toEqual(["'S", "'ſ", '\u212a'])
    expect(matches('(?i)ab|c', 'AbC')).toEqual(['Ab', 'C'])
    expect(matches('(?i:a)b', 'AbAB')).toEqual(['Ab'])
  })
  test('classes nest and intersect', () => {
    expect(matches('[\\p{L}&&[^\\p{Han}]]+', 'ab中c')).toEqual(['ab', 'c'])
    expect(matches(' ?[^(\\s|[.,!?…。，、।۔،])]+', 'ab, c')).toEqual(['ab', ' c'])
    expect(matches('[]a]+', 'a]b')).toEqual(['a]'])
    expect(matches('[a\\-z.]+', 'a-z.b')).toEqual(['a-z.'])
    expect(matches('[[:alpha:][:^space:]]', ' ')).toEqual([])
  })
  test('properties may be scripts, POSIX names and negated', () => {
    expect(matches('\\p{Han}\\p{^Han}\\P{Greek}', '中ab')).toEqual(['中ab'])
    expect(matches('\\p{Alnum}+\\p{Punct}', 'a1!')).toEqual(['a1!'])
  })
  test('escapes: hexadecimal digits, code points, line breaks', () => {
    expect(matches('\\h+|\\x{4e2d}|\\u00e9|\\x41', 'fG中éA')).toEqual(['f', '中', 'é', 'A'])
    expect(matches('\\R', '\r\n\n')).toEqual(['\r\n', '\n'])
  })
  test('anchors look at lines, and at the whole text in capitals', () => {
    expect(matches('^a', 'a\na')).toEqual(['a', 'a'])
    expect(matches('\\Aa', 'a\na')).toEqual(['a'])
    expect(matches('a$', 'a\na')).toEqual(['a', 'a'])
    expect(matches('a\\z', 'a\na')).toEqual(['a'])
  })
  test('possessive repetition gives nothing back', () => {
    expect(matches('a++a', 'aaa')).toEqual([])
    expect(matches('a?+a', 'aa')).toEqual(['aa'])
  })
  test('a count with a plus is a repeated count', () => {
    expect(matches('a{2}+', 'aaaaa')).toEqual(['aaaa'])
    expect(matches('a{,2}b|{', 'aab{')).toEqual(['aab', '{'])
  })
  test('GPT-2 leaves the last space to the next word', () => {
    expect(matches(GPT2_PATTERN, "I've  123 x!")).toEqual(['I', "'ve", ' ', ' 123', ' x', '!'])
  })
})

describe('refused with the place and the reason', () => {
  test.each([
    ['(a', /the end/],
    ['a)', /'\)'/],
    ['[a', /the end/],
    ['*a', /nothing before it/],
    ['(a)\\1', /escape \\1/],
    ['\\p{Nonsense}', /Nonsense/],
    ['(?~a)', /group/],
    ['(?>ab)c', /atomic/],
    ['a{3,2}', /\{3,2\}/],
    ['a{100000}', /at most 1000/],
    ['(a*)*', /may match nothing/],
    ['(?<=a+)b', /look-behind/],
    ['[z-a]', /backwards/],
    ['\\X', /escape \\X/],
    ['(((a{500}){500}){500})', /steps/],
    [`${'('.repeat(200)}a${')'.repeat(200)}`, /nested/],
  ])('%s', (pattern, reason) => {
    expect(() => compilePattern(pattern, 'pre_tokenizer.pattern')).toThrow(PatternError)
    expect(() => compilePattern(pattern, 'pre_tokenizer.pattern')).toThrow(reason)
  })
})
