import { grammarConstraint } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { accepts } from './small-vocabulary.ts'

const ARITHMETIC = `
# sums of products
root    ::= term (" + " term)*     # a comment
term    ::= factor ("*" factor)*
factor  ::= number | "(" root ")"
number  ::= "-"? [1-9] [0-9]{0,2}
`

test('rules, groups, classes, repetitions and comments', () => {
  const constraint = grammarConstraint(ARITHMETIC)
  for (const text of ['1', '-12*3 + 4', '(1 + 2)*(3)', '((7))', '999']) expect(accepts(constraint, text), text).toBe(true)
  for (const text of ['', '0', '1+2', '1 + ', '(1', '1234', '()']) expect(accepts(constraint, text), text).toBe(false)
})

test.each([
  ['root ::= "\\n\\"\\\\\\x41\\u00e4\\U0001F600"', '\n"\\Aä😀'],
  ['root ::= [\\]\\-a-c^]+', ']-abc^'],
  ['root ::= [^"\\n]{3}', 'a]ä'],
  ['root ::= . . "!"', 'ö\n!'],
  ['root ::= a-b\na-b ::= ("x" | "y"\n  "z")', 'yz'],
  ['root ::= ("a"?)* "b"', 'aab'],
  ['root ::= ""', ''],
  ['root ::= rest\nrest ::= "," rest |', ',,,'],
])('%s', (grammar, text) => {
  expect(accepts(grammarConstraint(grammar), text)).toBe(true)
})

test.each([
  ['', /no rule "root"/],
  ['root = "a"', /line 1, column 6.*"::="/],
  ['root ::= "a', /a closing "/],
  ['root ::= ("a"', /expected "\)"/],
  ['root ::= "a")', /a definition of a rule, or the end/],
  ['root ::= other', /no rule "other"/],
  ['root ::= "a"\nroot ::= "b"', /line 2, column 1.*one definition/],
  ['root ::= root "a" | "b"', /begins with itself/],
  ['root ::= a "x" | "y"\na ::= ""? b\nb ::= root', /begins with itself/],
  ['root ::= "a" root', /no text fulfils/],
  ['root ::= [z-a]', /the smaller character first/],
  ['root ::= "a"{3,2}', /the smaller first/],
  ['root ::= "\\q"', /one of the escapes/],
  ['root ::= "\\', /backslash|escapes|closing/],
  ['root ::= * "a"', /a text in quotes/],
  [`root ::= ${'('.repeat(300)}"a"${')'.repeat(300)}`, /at most 200 levels/],
  [`root ::= "${'a'.repeat(300_000)}"`, /a smaller grammar/],
])('%s is refused with its place', (grammar, reason) => {
  expect(() => grammarConstraint(grammar)).toThrow(expect.objectContaining({ code: 'constraint', message: expect.stringMatching(reason) }))
})

test('a grammar that can read one text in too many ways is refused when it is met', () => {
  const constraint = grammarConstraint('root ::= "a" root root | "a" root "b" root | "a" | ""')
  expect(() => accepts(constraint, 'a'.repeat(2000))).toThrow(/ways to read one text/)
})

test('a list of any length needs no more memory than one item', () => {
  const constraint = grammarConstraint('root ::= "x" root | "."')
  expect(accepts(constraint, `${'x'.repeat(5000)}.`)).toBe(true)
})
