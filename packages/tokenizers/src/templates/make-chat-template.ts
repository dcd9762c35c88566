import type { PipelineTokenizer } from '../pipeline.ts'
import type { ChatTemplate } from '../tokenizer.ts'
import { type ChatRendererOptions, type ChatTemplateSource, chatTemplateFromSource } from './chat-renderer.ts'
import { type SpecialTexts, specialTexts } from './protected-text.ts'

/**
 * The chat template of a tokenizer. Special tokens that messages, tools and documents write out stay text, unless `encode` is told
 * otherwise; whatever else is encoded is exactly the rendering with its special tokens parsed and none added.
 *
 * @throws {ChatTemplateError} reason `syntax` or `limit` when the template cannot be read
 */
export function makeChatTemplate(
  source: ChatTemplateSource,
  tokenizer: PipelineTokenizer,
  options: ChatRendererOptions = {},
): ChatTemplate {
  const renderer = chatTemplateFromSource(source, options)
  let special: SpecialTexts | undefined
  return {
    render(messages, renderOptions) {
      return renderer.render(messages, renderOptions).text
    },
    encode(messages, { parseSpecialTokensInContent = false, ...renderOptions } = {}) {
      special ??= specialTexts(specialTokensOf(tokenizer))
      const { segments } = renderer.render(messages, renderOptions, parseSpecialTokensInContent ? undefined : special)
      return tokenizer.encodeSegments(segments, { addSpecialTokens: false })
    },
  }
}

/** The tokenizer together with its chat template. */
export function withChatTemplate(
  tokenizer: PipelineTokenizer,
  source: ChatTemplateSource,
  options?: ChatRendererOptions,
): PipelineTokenizer {
  return { ...tokenizer, chatTemplate: makeChatTemplate(source, tokenizer, options) }
}

function specialTokensOf(tokenizer: PipelineTokenizer): string[] {
  const texts: string[] = []
  for (let id = 0; id < tokenizer.vocabularySize; id++) {
    const text = tokenizer.isSpecial(id) ? tokenizer.tokenOf(id) : undefined
    if (text !== undefined) texts.push(text)
  }
  return texts
}
