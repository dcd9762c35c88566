/**
 * The chat template of a tokenizer: from a conversation to ids. The rendering is encoded as one text without what the post-processor
 * adds, since templates write their own beginning-of-text token. Special tokens that messages, tools and documents write out are
 * fenced off, so they become the characters they are written with.
 */
import type { PipelineTokenizer, TextSegment } from '../pipeline.ts'
import type { ChatTemplate } from '../tokenizer.ts'
import type { ChatRenderer, RenderedChat } from './chat-renderer.ts'
import { type SpecialTexts, specialTexts } from './stand-ins.ts'

/** The same tokenizer with a chat template. */
export function withChatTemplate(tokenizer: PipelineTokenizer, renderer: ChatRenderer): PipelineTokenizer {
  return { ...tokenizer, chatTemplate: chatTemplateOf(tokenizer, renderer) }
}

function chatTemplateOf(tokenizer: PipelineTokenizer, renderer: ChatRenderer): ChatTemplate {
  let special: SpecialTexts | undefined
  return {
    render: (messages, options) => renderer.render(messages, options).text,
    encode(messages, { parseSpecialTokensInContent = false, ...options } = {}) {
      special ??= specialTexts(specialTokensOf(tokenizer))
      const rendered = renderer.render(messages, options, parseSpecialTokensInContent ? undefined : special)
      return tokenizer.encodeSegments(segmentsOf(rendered), { addSpecialTokens: false })
    },
  }
}

function specialTokensOf(tokenizer: PipelineTokenizer): string[] {
  const texts: string[] = []
  for (let id = 0; id < tokenizer.vocabularySize; id++) {
    const text = tokenizer.isSpecial(id) ? tokenizer.tokenOf(id) : undefined
    if (text !== undefined) texts.push(text)
  }
  return texts
}

function segmentsOf({ text, foreignRanges }: RenderedChat): TextSegment[] {
  const segments: TextSegment[] = []
  let position = 0
  for (const [index, border] of [...foreignRanges, text.length].entries()) {
    if (border > position) segments.push({ text: text.slice(position, border), parseSpecialTokens: index % 2 === 0 })
    position = border
  }
  return segments
}
