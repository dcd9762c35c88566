import { expect, test } from 'vitest'
import { knownPreTokenizations, preTokenizationNamed } from '../../src/gguf/pre-tokenizers.ts'
import { preTokenizerFromJson } from '../../src/pre-tokenizers/from-json.ts'
import type { Piece } from '../../src/pre-tokenizers/pre-tokenizer.ts'

/** The pieces that the patterns cut a text into, before they are written as bytes. */
function cut(name: string, text: string): string[] {
  const pretokenizers = preTokenizationNamed(name).patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }))
  const pieces: Piece[] = []
  preTokenizerFromJson({ type: 'Sequence', pretokenizers }, 'pre_tokenizer').split({ text, start: 0 }, pieces)
  return pieces.map((piece) => piece.text)
}

const TEXT = "Ab cdE's 12345 x=1;\n\n  y é漢字!"

test.each(knownPreTokenizations())('%s cuts a text without losing any of it', (name) => {
  expect(cut(name, TEXT).join('')).toBe(TEXT)
})

/** Worked out by hand from the patterns. */
test.each<[string, string, readonly string[]]>([
  ['gpt-2', "I'm 12345 !", ['I', "'m", ' 12345', ' !']],
  ['smollm', 'a 123', ['a', ' ', '1', '2', '3']],
  ['llama-bpe', "I'M x12345\n\n  y", ['I', "'M", ' x', '123', '45', '\n\n', ' ', ' y']],
  ['qwen2', 'x12 34', ['x', '1', '2', ' ', '3', '4']],
  ['gpt-4o', "helloWorld's 12345", ['hello', "World's", ' ', '123', '45']],
  ['tekken', "helloWorld's 12", ['hello', 'World', "'s", ' ', '1', '2']],
  ['deepseek-v3', 'x1234 漢字あ .foo', ['x', '123', '4', ' ', '漢字あ', ' .', 'foo']],
  ['deepseek-llm', 'ab 12\n漢字 !', ['ab', ' ', '12', '\n', '漢字', ' !']],
  ['deepseek-coder', 'ab 12 !', ['ab', ' ', '1', '2', ' !']],
  ['falcon', 'a+b 12345', ['a', '+', 'b', ' ', '123', '45']],
  ['default', 'a+b 12345', ['a', '+', 'b', ' ', '123', '45']],
  ['bloom', 'a, b.c', ['a', ',', ' b', '.', 'c']],
  ['viking', 'a 12', ['a', ' ', '1', '2']],
])('%s cuts %j as its patterns say', (name, text, pieces) => {
  expect(cut(name, text)).toEqual(pieces)
})
