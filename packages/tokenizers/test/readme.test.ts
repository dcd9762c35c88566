// readme:start
import { chatTemplateFromSource, tokenizerFromJson, withChatTemplate } from '@foretoken/tokenizers'

// Usually JSON.parse of a model's tokenizer.json; `config` takes its tokenizer_config.json.
const file = {
  added_tokens: [{ id: 4, content: '<end>', special: true, normalized: false, lstrip: false, rstrip: false, single_word: false }],
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['▁to', -1],
      ['ken', -2],
      ['▁', -3],
    ],
  },
}
const tokenizer = tokenizerFromJson(file, { config: { eos_token: '<end>' } })

const ids = tokenizer.encode('token<end>', { parseSpecialTokens: true }) // Int32Array [1, 2, 4]
const asTyped = tokenizer.encode('token<end>') // [1, 2, 0]: what a user types is never special
const text = tokenizer.decode(ids, { skipSpecialTokens: true }) // 'token'

const stream = tokenizer.stream() // text as soon as it is certain, never half a character
const streamed = Array.from(ids, (id) => stream.push(id)).join('') + stream.flush()

// One text of two parts: tokens may reach across, but no special token is found in the second.
const prompt = tokenizer.encodeSegments([
  { text: 'to<end>', parseSpecialTokens: true },
  { text: 'ken<end>', parseSpecialTokens: false },
])

// A chat template; `loadTokenizerFiles` and `tokenizerFromGguf` bring their own.
const template = chatTemplateFromSource('{% for message in messages %}{{ message.content }}<end>{% endfor %}')
const { chatTemplate } = withChatTemplate(tokenizer, template)
const chat = chatTemplate?.encode([{ role: 'user', content: 'token<end>' }]) // [1, 2, 0, 4]: only the template ends a turn

// readme:end
import { expect, test } from 'vitest'

test('the snippet of the README encodes, decodes, streams, protects and renders a chat', () => {
  expect([...ids]).toEqual([1, 2, 4])
  expect([...asTyped]).toEqual([1, 2, 0])
  expect(text).toBe('token')
  expect(streamed).toBe('token<end>')
  expect([...prompt]).toEqual([1, 4, 2, 0])
  expect([...(chat ?? [])]).toEqual([1, 2, 0, 4])
})
