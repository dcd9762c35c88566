/**
 * A pool of n-grams: for every token the latest different runs that followed it, in prompt and output, as branches of a tree. The pool of Lookahead
 * decoding (Fu et al. 2024), filled by reading the text rather than by guessing, which would cost rows.
 */
import type { Drafter } from '@foretoken/generation'
import { createTokenTree } from '../token-tree.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'

export interface NgramPoolOptions {
  /** Tokens of a run. Default 4. */
  readonly runTokens?: number
  /** Runs that are kept for a token. Default 4. */
  readonly runsPerToken?: number
  /** Whether the pool is kept from one generation to the next, for one tokenizer. Default false. */
  readonly keep?: boolean
}

/** @throws {ArgumentError} for a number that is not a whole one >= 1 */
export function ngramPool({ runTokens = 4, runsPerToken = 4, keep = false }: NgramPoolOptions = {}): Drafter {
  checkWholeNumbers({ runTokens, runsPerToken })
  const kept = new Map<number, Int32Array[]>()
  return {
    name: 'n-gram pool',
    begin() {
      const pool = keep ? kept : new Map<number, Int32Array[]>()
      let read = 0
      const readUpTo = (tokens: Int32Array) => {
        for (; read + runTokens < tokens.length; read++) {
          const run = tokens.slice(read + 1, read + 1 + runTokens)
          const others = (pool.get(tokens[read] ?? 0) ?? []).filter((other) => !other.every((token, i) => token === run[i]))
          pool.set(tokens[read] ?? 0, [run, ...others].slice(0, runsPerToken))
        }
      }
      return {
        propose({ tokens, most, deepest }) {
          readUpTo(tokens)
          const tree = createTokenTree()
          for (const [rank, run] of (pool.get(tokens.at(-1) ?? 0) ?? []).entries()) {
            let parent = -1
            for (const token of run.subarray(0, deepest)) {
              if (tree.size === most) break
              parent = tree.add(parent, token, parent < 0 ? 0.4 / (rank + 1) : 0.6)
            }
          }
          return tree.proposal()
        },
      }
    },
  }
}
