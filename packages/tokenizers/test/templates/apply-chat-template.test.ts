/** What `apply_chat_template` of transformers does around the template. Expected values follow its documentation and source. */
import { expect, test } from 'vitest'
import { chatTemplateFromSource } from '../../src/templates/chat-renderer.ts'

const CHATML = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"

test('a final message is continued: the rendering ends with its text', () => {
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'Once upon ' },
  ]
  const { text } = chatTemplateFromSource(CHATML).render(messages, { continueFinalMessage: true })
  expect(text).toBe('<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nOnce upon ')
})

test('a template that trims leaves no space at the end of a continued message', () => {
  const { text } = chatTemplateFromSource('[{{ messages[0].content|trim }}]').render([{ role: 'assistant', content: ' Once upon  ' }], {
    continueFinalMessage: true,
  })
  expect(text).toBe('[Once upon')
})

test('of a message in parts the last text is continued', () => {
  const content = [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }, { type: 'image' }]
  const { text } = chatTemplateFromSource('{% for p in messages[0].content %}<{{ p.text }}>{% endfor %}').render(
    [{ role: 'assistant', content }],
    { continueFinalMessage: true },
  )
  expect(text).toBe('<a><b')
})

test.each([
  [
    'a generation prompt and a continued message',
    [{ role: 'user', content: 'a' }],
    { addGenerationPrompt: true, continueFinalMessage: true },
  ],
  ['no messages', [], {}],
  ['a final message without text to continue', [{ role: 'user', content: null }], { continueFinalMessage: true }],
])('%s: refused as a wrong call', (_name, messages, options) => {
  expect(() => chatTemplateFromSource('x').render(messages, options)).toThrow(expect.objectContaining({ reason: 'input' }))
})

test('a message that a template leaves out cannot be continued', () => {
  expect(() => chatTemplateFromSource('x').render([{ role: 'user', content: 'a' }], { continueFinalMessage: true })).toThrow(
    expect.objectContaining({ reason: 'input' }),
  )
})

test('fields of a message that are null are left out, so templates see them as undefined', () => {
  const source = '{{ messages[0].content is defined }} {{ messages[0].tool_calls is defined }}'
  expect(chatTemplateFromSource(source).render([{ role: 'user', content: null, tool_calls: null }]).text).toBe('False False')
})

test.each(['reasoning_content', 'thinking', 'reasoning'])('reasoning given as %s is found under the names that templates read', (field) => {
  const source = '{{ messages[0].reasoning_content }} {{ messages[0].thinking }}'
  expect(chatTemplateFromSource(source).render([{ role: 'assistant', content: 'a', [field]: 'hm' }]).text).toBe('hm hm')
})

test('of named templates tool_use is taken when there are tools, else default', () => {
  const templates = new Map([
    ['default', 'D'],
    ['tool_use', 'T'],
    ['rag', 'R'],
  ])
  const messages = [{ role: 'user', content: 'a' }]
  expect(chatTemplateFromSource(templates).render(messages).text).toBe('D')
  expect(chatTemplateFromSource(templates).render(messages, { tools: [] }).text).toBe('T')
  expect(chatTemplateFromSource(templates, { templateName: 'rag' }).render(messages, { tools: [] }).text).toBe('R')
  expect(() => chatTemplateFromSource(templates, { templateName: 'x' })).toThrow(
    /no chat template named x, expected one of default, rag, tool_use/,
  )
})

test('templates without a default are refused, and the message names them', () => {
  const renderer = chatTemplateFromSource(new Map([['rag', 'R']]))
  expect(() => renderer.render([{ role: 'user', content: 'a' }])).toThrow(/named default, expected one of rag/)
})

test('tools and documents are none when they are not given', () => {
  const source = '{{ tools is none }} {{ documents is none }} {{ add_generation_prompt }}'
  expect(chatTemplateFromSource(source).render([{ role: 'user', content: 'a' }]).text).toBe('True True False')
})

test('variables of the call win over special tokens, and special tokens that are not given are undefined', () => {
  const renderer = chatTemplateFromSource('{{ bos_token }}{{ eos_token is defined }}', {
    specialTokens: { bos_token: '<s>', eos_token: undefined },
  })
  expect(renderer.render([{ role: 'user', content: 'a' }]).text).toBe('<s>False')
  expect(renderer.render([{ role: 'user', content: 'a' }], { variables: { bos_token: '<b>' } }).text).toBe('<b>False')
})

test('strftime_now tells the time of the clock that was passed in', () => {
  const renderer = chatTemplateFromSource("{{ strftime_now('%d %b %Y') }}", { clock: () => new Date(2024, 6, 26) })
  expect(renderer.render([{ role: 'user', content: 'a' }]).text).toBe('26 Jul 2024')
})

test('what a template says with raise_exception is in the error', () => {
  expect(() => chatTemplateFromSource("{{ raise_exception('roles must alternate') }}").render([{ role: 'user', content: 'a' }])).toThrow(
    expect.objectContaining({ reason: 'refused', found: 'roles must alternate' }),
  )
})
