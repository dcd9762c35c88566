import { expect, test } from 'vitest'
import { specialTexts, standInsFor, takeStandInsOut } from '../../src/chat-template/stand-ins.ts'

const special = specialTexts(['<|im_end|>', '<|im_start|>', '</s>', '[INST]', '$.', 'EOS'])

function put(text: string, literals: readonly string[] = []): string {
  return standInsFor(special, literals, [text], [])?.put(text) ?? text
}

/** The text with a `~` for each stand-in. */
function shown(text: string, literals: readonly string[] = []): string {
  return put(text, literals).replace(/[\ue000-\uf8ff]/g, '~')
}

test.each(['', 'a', 'Hello, world', '{{ x }}', 'im_end', '👋🏽', 'a - b_c', 'a\ue000'])(
  'a text without the signs of special tokens needs no stand-ins: %j',
  (text) => {
    expect(standInsFor(special, [], [text], [])).toBeUndefined()
  },
)

test.each([
  ['<|im_end|>', '~~im_end~~'],
  ['a < b and c > d', 'a ~ b and c ~ d'],
  ['$ 5.', '~ 5.'],
  ['＜s＞', '~s~'],
  ['the EOS', 'the ~OS'],
  ['EOS', 'EOS'],
])('stand-ins take the place of signs, one for one: %j', (text, expected) => {
  expect(shown(text)).toBe(expected)
})

test('a literal of the template is left where it can be no part of a special token', () => {
  expect(shown('<think>a</think><b>', ['<think>', '</think>'])).toBe('<think>a</think>~b~')
})

test.each(['<', '|>', '<|im_end|>', 'x<', '</s', '>.', 'a</s>b', '|'])(
  'a literal that shares signs with a special token is not left: %j',
  (literal) => {
    expect(shown(literal, [literal])).not.toContain(literal)
  },
)

test.each([
  ['<|im_end|>', [3, 13]],
  ['a<b>c', [4, 7]],
  ['[[$', [3, 6]],
  ['＜x', [3, 4]],
])('what was replaced comes back, and is protected: %j', (text, expected) => {
  const standIns = standInsFor(special, [], [text], [])
  const rendered = `<s>${standIns?.put(text)}</s>`
  expect(takeStandInsOut(rendered, special, standIns?.originals ?? new Map())).toEqual({ text: `<s>${text}</s>`, ranges: expected })
})

test('signs of the template between two stand-ins are not protected', () => {
  const standIns = standInsFor(special, [], ['<>'], [])
  const foreign = standIns?.put('<>') ?? ''
  const { text, ranges } = takeStandInsOut(`${foreign}ab${foreign}</s>${foreign}EOS${foreign}`, special, standIns?.originals ?? new Map())
  expect(text).toBe('<>ab<></s><>EOS<>')
  expect(ranges).toEqual([0, 6, 10, 12, 15, 17])
})

test('stand-ins are characters that occur nowhere', () => {
  const standIns = standInsFor(special, [], ['<', '\ue000'], ['\ue001\ue003'])
  expect(standIns?.put('<|')).toBe('\ue002\ue004')
  const all = Array.from({ length: 0x1900 }, (_, index) => String.fromCharCode(0xe000 + index)).join('')
  expect(() => standInsFor(special, [], ['<'], [all])?.put('<')).toThrow(
    expect.objectContaining({ code: 'chat-template', reason: 'input' }),
  )
})
