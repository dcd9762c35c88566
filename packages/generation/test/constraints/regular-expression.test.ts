import { regexConstraint } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { accepts } from './small-vocabulary.ts'

/** All texts of these letters up to a length. */
function textsOf(letters: string, longest: number): string[] {
  const texts = ['']
  for (let from = 0, length = 0; length < longest; length++) {
    const end = texts.length
    for (; from < end; from++) for (const letter of letters) texts.push(`${texts[from]}${letter}`)
  }
  return texts
}

test.each([
  ['a*b', 'ab', 6],
  ['(a|b)*abb', 'ab', 7],
  ['(?:a|ab)(?:c|bcd)?', 'abcd', 5],
  ['a{2,3}b{1,}c{0}', 'abc', 6],
  ['[^a-b]+|[b-]{2}', 'abc-', 4],
  ['(a*)*b', 'ab', 6],
  ['(a|a)*', 'ab', 5],
  ['\\d+(\\.\\d{1,2})?', '01.x', 5],
  ['\\w\\W\\s?', 'a_ -', 4],
  ['a.b|\\u0061\\x62', 'ab\n.', 4],
  ['(?<year>a)b+?', 'abc', 5],
  ['|a', 'ab', 3],
  ['[\\d\\-x]*', '1-xy', 4],
  ['\\.\\*\\/', '.*/', 4],
  ['ä+[à-ö]', 'äöa', 4],
])('%s matches the texts that the JavaScript engine matches', (pattern, letters, longest) => {
  const constraint = regexConstraint(pattern)
  const engine = new RegExp(`^(?:${pattern})$`, 'u')
  for (const text of textsOf(letters, longest)) expect(accepts(constraint, text), JSON.stringify(text)).toBe(engine.test(text))
})

test('look-ahead at the beginning forbids and asks', () => {
  const pattern = '^(?!b)(?=.*c)[abc]{1,4}$'
  const constraint = regexConstraint(pattern)
  for (const text of textsOf('abc', 5)) expect(accepts(constraint, text), text).toBe(new RegExp(pattern, 'u').test(text))
})

test.each([
  ['(a', /"\)"/],
  ['a)', /end of the pattern/],
  ['*a', /a character, a class or a group/],
  ['[a', /"\]"/],
  ['[b-a]', /the smaller first/],
  ['a{3,1}', /a smaller number first/],
  ['a{99999}', /at most 10000/],
  ['a**', /one/],
  ['(a)\\1', /one of \\d/],
  ['\\bword', /one of \\d/],
  ['\\p{L}', /one of \\d/],
  ['a(?=b)', /look-ahead at the very beginning only/],
  ['(^a)', /anchors at the ends/],
  ['[^\\u{0}-\\u{10ffff}]', /no text fulfils/],
  ['(?!a)a', /look-ahead at the very beginning only/],
  ['^(?!a)a$', /no text fulfils/],
  [`${'('.repeat(300)}a${')'.repeat(300)}`, /at most 200 levels/],
])('%s is refused with its reason', (pattern, reason) => {
  expect(() => regexConstraint(pattern)).toThrow(expect.objectContaining({ code: 'constraint', message: expect.stringMatching(reason) }))
})

test('patterns that backtracking engines take exponential time for take none here', () => {
  for (const pattern of ['(a|a|aa|aaa)*(a|aa)*(a*)*b', '(a+a+)+b']) {
    expect(accepts(regexConstraint(pattern), 'a'.repeat(3000))).toBe(false)
    expect(accepts(regexConstraint(pattern), `${'a'.repeat(3000)}b`)).toBe(true)
  }
})

test('repetitions of repetitions cost a sum and not a product', () => {
  const constraint = regexConstraint('((a{1000}){1000}){1000}')
  expect(accepts(constraint, 'a'.repeat(50))).toBe(false)
})
