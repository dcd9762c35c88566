import type { ChatTemplateSource } from '../chat-template/chat-renderer.ts'
import { type GgufMetadata, textAt } from './tokenizer-metadata.ts'

const TEMPLATE = 'tokenizer.chat_template'

/** `tokenizer.chat_template`, and with names `tokenizer.chat_template.<name>`. */
export function ggufChatTemplates(metadata: GgufMetadata): ChatTemplateSource | undefined {
  const templates = new Map<string, string>()
  for (const key of metadata.keys()) {
    const name = key === TEMPLATE ? 'default' : key.startsWith(`${TEMPLATE}.`) ? key.slice(TEMPLATE.length + 1) : undefined
    const source = name === undefined ? undefined : textAt(metadata, key)
    if (name !== undefined && source !== undefined) templates.set(name, source)
  }
  return templates.size === 0 ? undefined : templates
}
