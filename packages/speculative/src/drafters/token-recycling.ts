/**
 * Token Recycling: a drafter without weights. What each step ranked highest after a token, also the tokens that were not chosen, is a good guess for
 * what follows that token the next time. It is kept in an adjacency matrix, and a tree is grown through it, likeliest node first.
 * After Luo et al. 2024, "Turning Trash into Treasure"; their tree of 80 nodes becomes as large as is asked for. Memory: vocab * 8 * 4 bytes; one
 * pass over the logits of each row of a step.
 */
import type { Drafter, VerifiedStep } from '@foretoken/generation'
import { type Adjacency, type AdjacencySnapshot, createAdjacency } from '../adjacency.ts'
import { createTokenTree } from '../token-tree.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'

export interface TokenRecyclingOptions {
  /** Followers that are kept for each token. Default 8. */
  readonly width?: number
  /** Most nodes of a tree. Default 6. */
  readonly nodes?: number
  /** Whether the matrix is kept from one generation to the next. Default false: a prompt leaves no trace in later outputs' drafts. */
  readonly keep?: boolean
  /** Where to begin: what `save` gave, for the same model. */
  readonly adjacency?: AdjacencySnapshot
}

export interface TokenRecycling extends Drafter {
  /** The matrix of the latest generation, or the one that is kept; undefined before the first. */
  save(): AdjacencySnapshot | undefined
}

/** First guess of how often the follower of each rank is right. */
const RANKS = [0.45, 0.14, 0.07, 0.04, 0.03, 0.02]

/** @throws {ArgumentError} for a number that is not a whole one >= 1; from `begin`, for a snapshot of another model */
export function tokenRecycling({ width = 8, nodes = 6, keep = false, adjacency }: TokenRecyclingOptions = {}): TokenRecycling {
  checkWholeNumbers({ width, nodes })
  let latest: Adjacency | undefined
  return {
    name: 'token recycling',
    save: () => latest?.snapshot(),
    begin({ lm, prompt }) {
      const { vocab } = lm.config
      const matrix = keep && latest?.vocab === vocab ? latest : createAdjacency(vocab, width, adjacency)
      latest = matrix
      for (let i = 1; i < prompt.length; i++) matrix.see(prompt[i - 1] ?? 0, prompt[i] ?? 0)
      return {
        propose: ({ tokens, most, deepest }) => growTree(matrix, tokens.at(-1) ?? 0, Math.min(most, nodes), deepest),
        commit: (step) => learnFrom(matrix, step),
      }
    },
  }
}

/** Accepted rows come last: what is known of their tokens has the right prefix. */
function learnFrom(matrix: Adjacency, { rowTokens, result, path }: VerifiedStep): void {
  const logits = result.logits?.data
  if (logits === undefined) return
  const rejected = [...rowTokens.keys()].filter((row) => !path.includes(row))
  for (const row of [...rejected, ...path]) matrix.learn(rowTokens[row] ?? 0, logits.subarray(row * matrix.vocab, (row + 1) * matrix.vocab))
}

function growTree(matrix: Adjacency, root: number, most: number, deepest: number) {
  const tree = createTokenTree()
  const open = [{ node: -1, token: root, rank: 0, depth: 0, value: 1 }]
  while (tree.size < most) {
    const best = open.reduce<(typeof open)[number] | undefined>((a, b) => (a === undefined || worth(b) > worth(a) ? b : a), undefined)
    if (best === undefined || worth(best) === 0) break
    const token = best.depth < deepest ? (matrix.followersOf(best.token)[best.rank] ?? -1) : -1
    if (token < 0) {
      open.splice(open.indexOf(best), 1)
      continue
    }
    const node = tree.add(best.node, token, RANKS[best.rank] ?? 0)
    open.push({ node, token, rank: 0, depth: best.depth + 1, value: worth(best) })
    best.rank++
  }
  return tree.proposal()
}

/** The probability of the next child of a node to be accepted. */
function worth({ value, rank }: { readonly value: number; readonly rank: number }): number {
  return value * (RANKS[rank] ?? 0)
}
