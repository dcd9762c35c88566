import { expect, test } from 'vitest'
import { loadTokenizerFiles } from '../../src/tokenizer-files/load-tokenizer-files.ts'
import type { TokenizerFolder } from '../../src/tokenizer-files/tokenizer-folder.ts'

const TOKENIZER = {
  added_tokens: ['<s>', '</s>', '<e>'].map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  })),
  model: { type: 'BPE', vocab: { '<s>': 0, '</s>': 1, '<e>': 2, a: 3, b: 4 }, merges: [] },
}
const MESSAGES = [{ role: 'user', content: 'a' }]

function folder(files: Readonly<Record<string, unknown>>): TokenizerFolder {
  const texts = new Map(
    Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? content : JSON.stringify(content)]),
  )
  return { read: async (name) => texts.get(name), list: async () => [...texts.keys()] }
}

async function rendered(files: Readonly<Record<string, unknown>>, tools?: readonly unknown[]): Promise<string | undefined> {
  const tokenizer = await loadTokenizerFiles(folder({ 'tokenizer.json': TOKENIZER, ...files }))
  return tokenizer?.chatTemplate?.render(MESSAGES, tools === undefined ? {} : { tools })
}

test('a folder without a tokenizer has none', async () => {
  expect(await loadTokenizerFiles(folder({ 'config.json': {} }))).toBeUndefined()
})

test('a folder with a tokenizer in another format is refused, and the message names it', async () => {
  await expect(loadTokenizerFiles(folder({ 'tokenizer.model': 'x', 'config.json': {} }))).rejects.toThrow(
    /found tokenizer.model, expected tokenizer.json/,
  )
})

test.each(['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json'])(
  'a broken %s is named',
  async (name) => {
    await expect(loadTokenizerFiles(folder({ 'tokenizer.json': TOKENIZER, [name]: '{' }))).rejects.toThrow(
      expect.objectContaining({ code: 'tokenizer-format', where: { file: name } }),
    )
  },
)

test('chat_template.jinja wins over tokenizer_config.json, and that over chat_template.json', async () => {
  const config = { 'tokenizer_config.json': { chat_template: 'config' }, 'chat_template.json': { chat_template: 'json' } }
  expect(await rendered({ ...config, 'chat_template.jinja': 'jinja' })).toBe('jinja')
  expect(await rendered(config)).toBe('config')
  expect(await rendered({ 'chat_template.json': { chat_template: 'json' } })).toBe('json')
  expect(await rendered({})).toBeUndefined()
})

test('named templates come from a list or from files, and tools choose tool_use', async () => {
  const list = [
    { name: 'default', template: 'D' },
    { name: 'tool_use', template: 'T' },
  ]
  expect(await rendered({ 'tokenizer_config.json': { chat_template: list } })).toBe('D')
  expect(await rendered({ 'tokenizer_config.json': { chat_template: list } }, [])).toBe('T')
  const files = { 'chat_template.jinja': 'D2', 'additional_chat_templates/tool_use.jinja': 'T2' }
  expect(await rendered(files)).toBe('D2')
  expect(await rendered(files, [])).toBe('T2')
})

test('templates see the special tokens of the config, given as text or as objects', async () => {
  const config = {
    bos_token: { content: '<s>' },
    eos_token: '</s>',
    pad_token: null,
    add_bos_token: true,
    extra_special_tokens: { image_token: '<e>' },
  }
  const source = '{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}{{ add_bos_token is defined }}{{ image_token }}'
  expect(await rendered({ 'tokenizer_config.json': { ...config, chat_template: source } })).toBe('<s></s>FalseFalse<e>')
})

test('special_tokens_map.json counts only where the config has no added_tokens_decoder', async () => {
  const map = { bos_token: '<e>' }
  const template = { 'chat_template.jinja': '{{ bos_token }}', 'special_tokens_map.json': map }
  expect(await rendered({ ...template, 'tokenizer_config.json': { bos_token: '<s>' } })).toBe('<e>')
  expect(await rendered({ ...template, 'tokenizer_config.json': { bos_token: '<s>', added_tokens_decoder: {} } })).toBe('<s>')
})

test('a text ends at the eos token of the tokenizer and at all ids of generation_config.json', async () => {
  const files = { 'tokenizer.json': TOKENIZER, 'tokenizer_config.json': { eos_token: '</s>', bos_token: '<s>' } }
  const of = async (more: object) => (await loadTokenizerFiles(folder({ ...files, ...more })))?.specialTokens
  expect(await of({})).toEqual({ beginningOfText: 0, endOfText: [1] })
  expect(await of({ 'generation_config.json': { eos_token_id: [2, 1] } })).toEqual({ beginningOfText: 0, endOfText: [1, 2] })
  expect(await of({ 'generation_config.json': { eos_token_id: 2 }, 'config.json': { eos_token_id: 4 } })).toEqual({
    beginningOfText: 0,
    endOfText: [1, 2],
  })
  expect(await of({ 'generation_config.json': {}, 'config.json': { eos_token_id: 4 } })).toEqual({ beginningOfText: 0, endOfText: [1, 4] })
  await expect(of({ 'generation_config.json': { eos_token_id: 'x' } })).rejects.toThrow(/generation_config.json: eos_token_id/)
})

test('a template that cannot be read does not keep the tokenizer from loading', async () => {
  const tokenizer = await loadTokenizerFiles(folder({ 'tokenizer.json': TOKENIZER, 'chat_template.jinja': '{% nonsense %}' }))
  expect([...(tokenizer?.encode('ab') ?? [])]).toEqual([3, 4])
  expect(() => tokenizer?.chatTemplate?.render(MESSAGES)).toThrow(expect.objectContaining({ code: 'chat-template', reason: 'syntax' }))
})
