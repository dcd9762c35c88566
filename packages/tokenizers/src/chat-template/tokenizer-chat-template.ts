/**
 * The chat template of a tokenizer: from a conversation to ids.
 *
 * The rendering is encoded as one text without what the post-processor adds, as transformers does it, since templates write
 * their own beginning-of-text token. What came from messages, tools and documents is fenced off: tokens of ordinary text may
 * reach across the fence, so without control tokens in the messages the ids are those of the rendering encoded as a whole; but
 * a control token that begins, ends or lies in there is encoded as the characters it is written with.
 */
import type { PipelineTokenizer, TextSegment } from '../pipeline.ts'
import type { ChatTemplate } from '../tokenizer.ts'
import type { ChatRenderer, RenderedChat } from './chat-renderer.ts'

/** The same tokenizer with a chat template. */
export function withChatTemplate(tokenizer: PipelineTokenizer, renderer: ChatRenderer): PipelineTokenizer {
  return { ...tokenizer, chatTemplate: chatTemplateOf(tokenizer, renderer) }
}

function chatTemplateOf(tokenizer: PipelineTokenizer, renderer: ChatRenderer): ChatTemplate {
  return {
    render: (messages, options) => renderer.render(messages, options).text,
    encode(messages, { parseSpecialTokensInContent = false, ...options } = {}) {
      const rendered = renderer.render(messages, options)
      if (parseSpecialTokensInContent) return tokenizer.encode(rendered.text, { addSpecialTokens: false, parseSpecialTokens: true })
      return tokenizer.encodeSegments(segmentsOf(rendered), { addSpecialTokens: false })
    },
  }
}

function segmentsOf({ text, foreignRanges }: RenderedChat): TextSegment[] {
  const segments: TextSegment[] = []
  let position = 0
  const add = (end: number, parseSpecialTokens: boolean): void => {
    if (end > position) segments.push({ text: text.slice(position, end), parseSpecialTokens })
    position = end
  }
  for (let index = 0; index < foreignRanges.length; index += 2) {
    add(foreignRanges[index] ?? 0, true)
    add(foreignRanges[index + 1] ?? 0, false)
  }
  add(text.length, true)
  return segments
}
