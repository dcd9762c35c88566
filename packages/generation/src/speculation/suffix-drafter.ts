/**
 * Drafts from the longest match, of any length, in prompt and output, or in texts of one's own: a suffix automaton finds it in constant time. Copies,
 * edits and quotations are long matches, so drafts grow with the match. After "SAM Decoding" (Hu et al. 2024), which mixes the two texts in the same way.
 */
import type { Drafter } from '../drafter.ts'
import { checkCount } from '../option-checks.ts'
import { chainAfterMatch } from './match-chain.ts'
import { createSuffixAutomaton, NO_MATCH } from './suffix-automaton.ts'

export interface SuffixOptions {
  /** Shortest match that is drafted from. Default 2. */
  readonly shortest?: number
  /** Most tokens of a draft. Default 16; no more than twice the match. */
  readonly draftTokens?: number
  /** Texts that outputs may quote, as token ids. They are read once. */
  readonly texts?: readonly ArrayLike<number>[]
}

/** @throws {ArgumentError} for a number that is not a whole one >= 1 */
export function suffixDrafter({ shortest = 2, draftTokens = 16, texts = [] }: SuffixOptions = {}): Drafter {
  checkCount('shortest', shortest, 1)
  checkCount('draftTokens', draftTokens, 1)
  const libraries = texts.map((text) => {
    const automaton = createSuffixAutomaton()
    for (let i = 0; i < text.length; i++) automaton.append(text[i] ?? 0)
    return { automaton, tokens: automaton.tokens }
  })
  return {
    name: 'suffix automaton',
    begin() {
      const own = createSuffixAutomaton()
      const matches = libraries.map(() => NO_MATCH)
      return {
        propose({ tokens, most, deepest }) {
          for (const token of tokens.subarray(own.length)) {
            own.append(token)
            for (const [i, { automaton }] of libraries.entries()) matches[i] = automaton.follow(matches[i] ?? NO_MATCH, token)
          }
          let { matched, end } = own.repeated()
          let source = tokens
          for (const [i, library] of libraries.entries()) {
            const match = matches[i] ?? NO_MATCH
            if (match.matched <= matched || match.end >= library.tokens.length) continue
            ;({ matched, end } = match)
            source = library.tokens
          }
          if (matched < shortest) return undefined
          const count = Math.min(draftTokens, 2 * matched, most, deepest)
          return chainAfterMatch(source === tokens ? copyBeyond(tokens, end, count) : source.subarray(end, end + count), matched)
        },
      }
    },
  }
}

/** What follows an index of the text; at its end the copy goes on with itself, so that a phrase that repeats is drafted more than once. */
function copyBeyond(text: Int32Array, from: number, count: number): Int32Array {
  const period = text.length - from
  return Int32Array.from({ length: count }, (_, i) => text[from + (i % period)] ?? 0)
}
