import { TemplateFloat } from '../../src/templates/template-float.ts'
import type { ChatMessage } from '../../src/tokenizer.ts'
import json from '../fixtures/chat-templates/chat-templates.json' with { type: 'json' }

interface Conversation {
  readonly messages: readonly ChatMessage[]
  readonly add_generation_prompt: boolean
  readonly tools?: readonly unknown[]
  readonly extra?: Readonly<Record<string, unknown>>
}

interface ChatTemplateFixture {
  readonly bos_token: string
  readonly eos_token: string
  readonly templates: Readonly<Record<string, string>>
  readonly conversations: Readonly<Record<string, Conversation>>
  readonly renderings: Readonly<Record<string, Readonly<Record<string, { readonly text?: string; readonly error?: string }>>>>
  readonly smollm2: Readonly<Record<string, { readonly text: string; readonly ids: readonly number[] }>>
}

/** Reading JSON loses that the one argument `f` of a tool call is written `1.0` there, which Python prints as it is. */
function withFloats(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withFloats)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === 'f' && item === 1 ? new TemplateFloat(1) : withFloats(item)]),
  )
}

// The file is made by us, and its shape is the interface above.
export const chatTemplateFixture = withFloats(json) as ChatTemplateFixture
