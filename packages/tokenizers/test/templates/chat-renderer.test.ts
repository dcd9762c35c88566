import { expect, test } from 'vitest'
import { chatTemplateFromSource } from '../../src/templates/chat-renderer.ts'
import type { ChatTemplateOptions } from '../../src/tokenizer.ts'
import { chatTemplateFixture } from './chat-template-fixture.ts'

const specialTokens = { bos_token: chatTemplateFixture.bos_token, eos_token: chatTemplateFixture.eos_token }

for (const [templateName, renderings] of Object.entries(chatTemplateFixture.renderings)) {
  const renderer = chatTemplateFromSource(chatTemplateFixture.templates[templateName] ?? '', { specialTokens })
  for (const [conversationName, expected] of Object.entries(renderings)) {
    const conversation = chatTemplateFixture.conversations[conversationName]
    if (conversation === undefined) throw new Error(`no conversation ${conversationName}`)
    const options: ChatTemplateOptions = {
      addGenerationPrompt: conversation.add_generation_prompt,
      ...(conversation.tools === undefined ? {} : { tools: conversation.tools }),
      ...(conversation.extra === undefined ? {} : { variables: conversation.extra }),
    }
    if (expected.error === undefined) {
      test(`${templateName} renders '${conversationName}' as transformers does`, () => {
        expect(renderer.render(conversation.messages, options).text).toBe(expected.text)
      })
    } else {
      test(`${templateName} refuses '${conversationName}' as transformers does`, () => {
        const reason = expected.error === 'TemplateError' ? 'refused' : 'evaluation'
        expect(() => renderer.render(conversation.messages, options)).toThrow(expect.objectContaining({ code: 'chat-template', reason }))
      })
    }
  }
}
