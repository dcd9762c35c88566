import { expect, test } from 'vitest'
import { chatTemplateFromSource } from '../../src/chat-template/chat-renderer.ts'
import { ChatTemplateError } from '../../src/chat-template/chat-template-error.ts'
import fixture from '../fixtures/chat-templates/expressions.json' with { type: 'json' }

const clock = () => new Date(2026, 1, 3, 14, 5, 6)
const messages = [{ role: 'user', content: 'x' }]

interface Case {
  readonly template: string
  readonly text?: string
  readonly error?: string
}

const cases: readonly Case[] = fixture.cases

for (const { template, text } of cases) {
  const title = template.length > 100 ? `${template.slice(0, 100)}…` : template
  if (text === undefined) {
    test(`Jinja2 and we refuse ${title}`, () => {
      expect(() => chatTemplateFromSource(template, { clock }).render(messages, { variables: fixture.variables })).toThrow(
        ChatTemplateError,
      )
    })
  } else {
    test(`Jinja2 and we render alike ${title}`, () => {
      expect(chatTemplateFromSource(template, { clock }).render(messages, { variables: fixture.variables }).text).toBe(text)
    })
  }
}
