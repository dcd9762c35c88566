/**
 * Leaving the last message open, so that a model goes on writing it.
 *
 * As transformers does it: a tag is put behind the last text, and the rendering ends where the tag has come out.
 */
import type { ChatMessage } from '../tokenizer.ts'
import { ChatTemplateError } from './chat-template-error.ts'
import { type MarkedText, sliceText } from './marked-text.ts'
import { endBeforeSpaces, skipSpaces } from './python-whitespace.ts'

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
  if (last === undefined || content === undefined) throw nothingToContinue()
  if (typeof content === 'string') return { messages: [...messages.slice(0, -1), { ...last, content: content + TAG }], text: content }
  if (!Array.isArray(content)) throw nothingToContinue()
  const at = content.findLastIndex(hasText)
  const part: unknown = content[at]
  if (!hasText(part)) throw nothingToContinue()
  const parts = content.map((other: unknown, index) => (index === at ? { ...part, text: part.text + TAG } : other))
  return { messages: [...messages.slice(0, -1), { ...last, content: parts }], text: part.text }
}

/** Cuts the rendering behind the continued text. */
export function cutAtContinuation(rendered: MarkedText, text: string): MarkedText {
  const start = skipSpaces(text, 0)
  const at = rendered.text.lastIndexOf(TAG.trim())
  if (at < 0 || !rendered.text.includes(text.slice(start, endBeforeSpaces(text, start)))) {
    throw new ChatTemplateError(
      'input',
      'a final message that the template does not print as it is',
      'a template that allows to continue it',
    )
  }
  // Without the space behind the tag the template has trimmed the message, so what stood in front of the tag is trimmed as well.
  const isTrimmed = !rendered.text.startsWith(TAG, at)
  return sliceText(rendered, 0, isTrimmed ? endBeforeSpaces(rendered.text, 0, at) : at)
}

function hasText(part: unknown): part is { readonly text: string } {
  return typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
}

function nothingToContinue(): ChatTemplateError {
  return new ChatTemplateError('input', 'a final message without text', 'text to continue')
}
