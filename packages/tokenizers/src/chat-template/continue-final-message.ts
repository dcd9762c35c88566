/** Leaving the last message open, so that a model goes on writing it: a tag is put behind its text, and the rendering ends where the tag has come out. */
import type { ChatMessage } from '../tokenizer.ts'
import { ChatTemplateError } from './chat-template-error.ts'
import { strip } from './python-text.ts'

const TAG = 'CONTINUE_FINAL_MESSAGE_TAG '

export interface Continuation {
  readonly messages: readonly ChatMessage[]
  /** The text that is continued. */
  readonly text: string
}

/** @throws {ChatTemplateError} reason `input` when the last message has no text */
export function withContinuation(messages: readonly ChatMessage[]): Continuation {
  const last = messages.at(-1)
  const content = last?.content
  if (last !== undefined && typeof content === 'string') {
    return { messages: [...messages.slice(0, -1), { ...last, content: content + TAG }], text: content }
  }
  const parts: readonly unknown[] = Array.isArray(content) ? content : []
  const at = parts.findLastIndex(hasText)
  const part = parts[at]
  if (last === undefined || !hasText(part)) throw new ChatTemplateError('input', 'a final message without text', 'text to continue')
  const tagged = parts.map((other, index) => (index === at ? { ...part, text: part.text + TAG } : other))
  return { messages: [...messages.slice(0, -1), { ...last, content: tagged }], text: part.text }
}

/** The rendering up to the end of the continued text. */
export function cutAtContinuation(rendered: string, continued: string): string {
  const at = rendered.lastIndexOf(TAG.trim())
  if (at < 0 || !rendered.includes(strip(continued, 'both'))) {
    throw new ChatTemplateError('input', 'a final message that the template does not print as it is', 'a template that can continue it')
  }
  const before = rendered.slice(0, at)
  // Without the space behind the tag the template has trimmed the message, so what stood in front of the tag is trimmed as well.
  return rendered.startsWith(TAG, at) ? before : strip(before, 'right')
}

function hasText(part: unknown): part is { readonly text: string } {
  return typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
}
