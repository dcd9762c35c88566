import type { TextPattern } from '../patterns/text-pattern.ts'
import type { Normalizer } from './normalizer.ts'

/** `Replace`: writes `content` for every match. */
export function replaceNormalizer(pattern: TextPattern, content: string): Normalizer {
  return { normalize: (text) => replaceMatches(pattern, text, content) }
}

export function replaceMatches(pattern: TextPattern, text: string, content: string): string {
  if (text === '') return text
  const found = pattern.findAll(text)
  if (found.length === 0) return text
  const parts: string[] = []
  let from = 0
  for (let i = 0; i < found.length; i += 2) {
    parts.push(text.slice(from, found[i]), content)
    from = found[i + 1] ?? from
  }
  parts.push(text.slice(from))
  return parts.join('')
}
