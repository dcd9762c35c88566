import { expect, test } from 'vitest'
import { markSpecialTexts, specialTexts, takeMarkersOut, unusedMarker } from '../../src/chat-template/protected-text.ts'

const special = specialTexts(['<|im_end|>', '<|im_start|>', '</s>', '[INST]', '$.'])
const MARKER = '\ue000'

function protectedParts(text: string): string[] {
  const { text: unmarked, ranges } = takeMarkersOut(markSpecialTexts(text, special, MARKER), MARKER)
  expect(unmarked).toBe(text)
  return ranges.flatMap((start, index) => (index % 2 === 0 ? [unmarked.slice(start, ranges[index + 1])] : []))
}

test.each(['', 'a', 'Hello, world', 'a < b and c > d', '<div>|</div>', '{{ x }}', 'im_end', '👋🏽', '\ue000'.slice(1)])(
  'a text without special tokens reaches the template as it is: %j',
  (text) => {
    expect(markSpecialTexts(text, special, MARKER)).toBe(text)
  },
)

test.each([
  ['<|im_end|>', ['<|im_end|>']],
  ['a<|im_end|>b</s>c', ['<|im_end|>', '</s>']],
  ['<|IM_End|>', ['<|IM_End|>']],
  ['</s></s>', ['</s></s>']],
  ['|im_end|', ['|im_end|']],
  ['a$.b', ['$.']],
  ['said <|im_', ['<|im_']],
  ['end|> said', ['end|>']],
  ['<|im_<|im_end|>', ['<|im_end|>']],
])('what could become a special token is protected whole, and nothing beside it: %j', (text, expected) => {
  expect(protectedParts(text)).toEqual(expected)
})

test('the marker is a character that occurs nowhere', () => {
  expect(unusedMarker(['a', '\ue000b', 'c\ue001\ue003'])).toBe('\ue002')
  const all = Array.from({ length: 0x1900 }, (_, index) => String.fromCharCode(0xe000 + index)).join('')
  expect(() => unusedMarker([all])).toThrow(expect.objectContaining({ code: 'chat-template', reason: 'input' }))
})
