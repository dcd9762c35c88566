import { expect, test } from 'vitest'
import { printableText } from '../src/printable-text.ts'

test('control characters become their pictures, line ends and tabs stay', () => {
  expect(printableText('a\tb\nc\u0000\u001b[31m\u007f')).toBe('a\tb\nc\u2400\u241b[31m\u2421')
})

test('the one-byte forms of escape sequences are replaced', () => {
  expect(printableText('\u009b2J\u0090')).toBe('\ufffd2J\ufffd')
})

test('a carriage return before a line end is dropped, and cannot overwrite a line elsewhere', () => {
  expect(printableText('a\r\nb\rc')).toBe('a\nb\u240dc')
})

test('text of any language stays', () => {
  expect(printableText('naïve 世界 🦊 e\u0301')).toBe('naïve 世界 🦊 e\u0301')
})
