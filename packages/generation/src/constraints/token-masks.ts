/**
 * Which tokens may come at a state of an automaton: one walk over the tree of all tokens, kept as a bit per token. States come back all the time (in
 * the middle of a string every letter leads to the same one), so most masks are found, not made.
 */
import { type ByteAutomaton, DEAD } from './byte-automaton.ts'
import type { TokenTrie } from './token-trie.ts'

export interface TokenMasks {
  /** [ceil(vocab / 32)] a bit for each token that is text; not to be changed. */
  at(state: number): Int32Array
}

/** Of 49,152 tokens a mask takes 6 kB. */
const MOST_KEPT = 1000

export function tokenMasks(automaton: ByteAutomaton, trie: TokenTrie, vocab: number): TokenMasks {
  const kept = new Map<number, Int32Array>()
  const path = new Int32Array(trie.deepest + 1)
  const compute = (start: number): Int32Array => {
    const mask = new Int32Array(Math.ceil(vocab / 32))
    const { bytes, depths, behind, firstToken, tokens } = trie
    const nodes = bytes.length
    path[0] = start
    for (let node = 0; node < nodes; ) {
      const depth = depths[node] ?? 0
      const next = automaton.step(path[depth] ?? DEAD, bytes[node] ?? 0)
      if (next === DEAD) {
        node = behind[node] ?? nodes
        continue
      }
      path[depth + 1] = next
      const end = firstToken[node + 1] ?? 0
      for (let i = firstToken[node] ?? 0; i < end; i++) {
        const token = tokens[i] ?? 0
        mask[token >> 5] = (mask[token >> 5] ?? 0) | (1 << (token & 31))
      }
      node++
    }
    return mask
  }
  return {
    at(state) {
      const known = kept.get(state)
      if (known !== undefined) return known
      const mask = compute(state)
      if (kept.size >= MOST_KEPT) for (const oldest of [...kept.keys()].slice(0, MOST_KEPT / 2)) kept.delete(oldest)
      kept.set(state, mask)
      return mask
    },
  }
}
