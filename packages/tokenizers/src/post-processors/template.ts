import type { PostProcessor } from './post-processor.ts'

/** A place for the text, or special tokens. */
export type TemplatePart = { readonly kind: 'text' } | { readonly kind: 'special'; readonly ids: readonly number[] }

/** `TemplateProcessing`: the ids of the text between special tokens, in the order of the template. */
export function templatePostProcessor(parts: readonly TemplatePart[]): PostProcessor {
  return {
    addedCount: parts.reduce((sum, part) => sum + (part.kind === 'special' ? part.ids.length : 0), 0),
    process(ids) {
      const result: number[] = []
      for (const part of parts) for (const id of part.kind === 'text' ? ids : part.ids) result.push(id)
      return result
    },
  }
}
