import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { loadTokenizerFiles } from '../../src/tokenizer-files/load-tokenizer-files.ts'
import { chatTemplateFixture } from '../chat-template/chat-template-fixture.ts'

const models = process.env.FORETOKEN_MODELS

test.skipIf(!models)('the folder of SmolLM2 loads, with its template and its end of text (needs FORETOKEN_MODELS)', async () => {
  const tokenizer = await loadTokenizerFiles({
    read: (name) => readFile(`${models}/smollm2-135m-instruct/${name}`, 'utf8').catch(() => undefined),
  })
  expect(tokenizer?.vocabularySize).toBe(49_152)
  expect(tokenizer?.specialTokens).toEqual({ beginningOfText: 1, endOfText: [2], padding: 2, unknown: 0 })
  const { messages, add_generation_prompt } = chatTemplateFixture.conversations['two turns'] ?? {
    messages: [],
    add_generation_prompt: false,
  }
  expect([...(tokenizer?.chatTemplate?.encode(messages, { addGenerationPrompt: add_generation_prompt }) ?? [])]).toEqual(
    chatTemplateFixture.smollm2['two turns']?.ids,
  )
})
