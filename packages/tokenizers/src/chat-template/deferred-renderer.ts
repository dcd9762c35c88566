import { type ChatRenderer, type ChatRendererOptions, type ChatTemplateSource, chatTemplateFromSource } from './chat-renderer.ts'

/** A chat template that is read when it is first used: a model whose template we cannot read still loads, and still completes text. */
export function deferredChatTemplate(source: ChatTemplateSource, options: ChatRendererOptions): ChatRenderer {
  let renderer: ChatRenderer | undefined
  return {
    render(messages, renderOptions, special) {
      renderer ??= chatTemplateFromSource(source, options)
      return renderer.render(messages, renderOptions, special)
    },
  }
}
