import { expect, test } from 'vitest'
import { chatTemplateFromSource } from '../../src/chat-template/chat-renderer.ts'

const messages = [{ role: 'user', content: 'hello' }]

function render(source: string): string {
  return chatTemplateFromSource(source).render(messages).text
}

function refusal(reason: string, found: RegExp): object {
  return expect.objectContaining({ code: 'chat-template', reason, message: expect.stringMatching(found) })
}

test('a template of more than a million characters is refused', () => {
  expect(() => render('x'.repeat(1_000_001))).toThrow(refusal('limit', /1000001 characters, expected at most 1000000/))
  expect(render('x'.repeat(1_000_000)).length).toBe(1_000_000)
})

test.each([
  ['before a tag', `${' '.repeat(999_000)}{% if true %}x{% endif %}`],
  ['inside of a tag', `{{ 'x'${' '.repeat(999_000)}}}`],
  ['inside of a string', `{{ '${' '.repeat(900_000)}'|trim }}`],
])('a megabyte of spaces %s is refused, for the library would read it in quadratic time', (_name, source) => {
  expect(() => render(source)).toThrow(refusal('limit', /white-space characters in a row, expected at most 1000/))
})

test('a megabyte of short runs of spaces and of raw blocks is read', () => {
  expect(render(`${' '.repeat(900)}{{ 'x' }}`.repeat(1000)).length).toBe(901_000)
  expect(render('{% raw %}{% endraw %}'.repeat(40_000))).toBe('')
  expect(() => render('{% raw %}'.repeat(100_000))).toThrow(refusal('syntax', /raw block without end/))
})

test.each([
  ['parentheses', `{{ ${'('.repeat(10_000)}1${')'.repeat(10_000)} }}`],
  ['lists', `{{ ${'['.repeat(10_000)}${']'.repeat(10_000)} }}`],
  ['if blocks', '{% if 1 %}'.repeat(10_000) + '{% endif %}'.repeat(10_000)],
  ['loops', '{% for a in b %}'.repeat(10_000) + '{% endfor %}'.repeat(10_000)],
  ['set blocks', '{% set x %}'.repeat(10_000) + '{% endset %}'.repeat(10_000)],
  ['negations', `{{ ${'not '.repeat(100_000)}1 }}`],
  ['minus signs', `{{ ${'- '.repeat(100_000)}1 }}`],
  ['sums', `{{ ${'1+'.repeat(100_000)}1 }}`],
  ['filters', `{{ 1${'|string'.repeat(100_000)} }}`],
  ['alternatives', `{% if x %}${'{% elif x %}'.repeat(50_000)}{% endif %}`],
])('%s nested 10,000 deep are refused without a stack overflow', (_name, source) => {
  expect(() => render(source)).toThrow(refusal('limit', /nest|stack/))
})

test('a range of 10**9 is refused before it is made', () => {
  expect(() => render('{% for i in range(10**9) %}x{% endfor %}')).toThrow(refusal('limit', /a range of 1000000000/))
})

test.each([
  ['two loops', '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}'],
  ['three loops', '{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}{% endfor %}{% endfor %}{% endfor %}'],
  ['loops over characters', "{% set s = 'x' * 9999 %}{% for a in s %}{% for b in s %}{% endfor %}{% endfor %}"],
  ['a macro that calls itself twice', '{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(99) }}'],
  ['sorting again and again', '{% for i in range(9999) %}{% set x = range(99999)|sort(reverse=true) %}{% endfor %}'],
  ['lists that double', '{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}'],
  [
    'lists inside of lists that are printed',
    '{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}',
  ],
  ['searching where search is slow', "{{ ('b' ~ 'a' * 999999) in 'a' * 9999999 }}"],
  ['changing long texts', "{% set s = 'x' * 9999999 %}{% for i in range(99999) %}{% set y = s|upper %}{% endfor %}"],
  ['comparing long texts', "{% set s = 'x' * 9999999 %}{% for i in range(99999) %}{% set y = s == s ~ '' %}{% endfor %}"],
])('%s: refused after a bounded number of steps', (_name, source) => {
  expect(() => render(source)).toThrow(refusal('limit', /at most 2000000 steps/))
})

test.each([
  ['one', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
  ['two', '{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}'],
  ['a caller', '{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}'],
])('recursion by %s macro ends in an error', (_name, source) => {
  expect(() => render(source)).toThrow(refusal('limit', /at most 200 calls/))
})

test.each([
  ['repetition', "{{ 'x' * 10**12 }}"],
  ['doubling', "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"],
  ['indent', "{{ 'a\\nb'|indent(10**9) }}"],
  ['indented JSON', '{{ [[1]]|tojson(indent=9999999) }}'],
  ['replacing', "{% set s = 'x' * 1000000 %}{{ s|replace('x', s) }}"],
  ['joining', "{{ range(1000)|join('x' * 1000000) }}"],
  ['output', "{% set s = 'x' * 1000000 %}{% for i in range(20) %}{{ s }}{% endfor %}"],
])('a text over ten million characters by %s is refused', (_name, source) => {
  expect(() => render(source)).toThrow(refusal('limit', /a text of \d+ characters, expected at most 10000000/))
})

test.each([
  'messages.constructor',
  "messages['constructor']",
  "''.constructor",
  '[].__proto__',
  "messages[0]['__proto__']",
  "''.__class__",
  '(1).constructor',
  'range.constructor',
  'namespace(a=1).constructor',
])('%s is undefined: no way leads to a JavaScript object', (expression) => {
  expect(render(`{{ ${expression} is undefined }}[{{ ${expression} }}]`)).toBe('True[]')
  expect(() => render(`{{ ${expression}('return process')() }}`)).toThrow(refusal('evaluation', /undefined/i))
})

test('keys that JavaScript treats specially are keys like others', () => {
  const message = JSON.parse('{ "role": "user", "content": "x", "__proto__": { "polluted": true }, "constructor": "c" }')
  const { text } = chatTemplateFromSource("{{ messages[0]['__proto__'] }} {{ messages[0].constructor }} {{ messages[0]|length }}").render([
    message,
  ])
  expect(text).toBe("{'polluted': True} c 4")
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
})

test('missing variables print as nothing, and what hangs on them is an error that names them', () => {
  expect(render('[{{ nothing }}{{ messages[0].nothing }}]')).toBe('[]')
  expect(() => render('{{ nothing.more }}')).toThrow(refusal('evaluation', /nothing, which is undefined/))
})

test('message content that is template syntax stays text', () => {
  const content = '{{ 7 * 7 }}{% for x in y %}{# a #}{% raw %}'
  expect(chatTemplateFromSource('[{{ messages[0].content }}]').render([{ role: 'user', content }]).text).toBe(`[${content}]`)
})

test.each([
  ['a function', { content: () => 'x' }, /function/],
  ['an integer that is not exact', { content: 2n ** 60n }, /1152921504606846976/],
])('%s in a message is refused', (_name, message, found) => {
  expect(() => chatTemplateFromSource('x').render([{ role: 'user', ...message }])).toThrow(refusal('input', found))
})

test('data that contains itself is refused', () => {
  const part: Record<string, unknown> = {}
  part.part = part
  expect(() => chatTemplateFromSource('x').render([{ role: 'user', content: part }])).toThrow(refusal('input', /cycle/))
})
