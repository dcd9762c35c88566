/**
 * Token Recycling: a drafter without weights. What each step ranked highest after a token, or after a pair of tokens, is a good guess for what follows
 * the next time. It is kept with its scores, and a tree is grown through it, likeliest node first. Where tokens are sampled the guesses meet the noise
 * that the sampler will meet, so that the same token wins if the scores are still about the same.
 *
 * After Luo et al. 2024, "Turning Trash into Treasure"; their tree of 80 nodes becomes as large as is asked for, and pairs are ours. Memory: vocab * 8 * 8
 * bytes, and 64 bytes for each pair; one pass over the logits of each accepted row.
 */
import { type DraftContext, type Drafter, gumbelNoise, noiseKey, type VerifiedStep } from '@foretoken/generation'
import { type Adjacency, type AdjacencySnapshot, createAdjacency } from '../adjacency.ts'
import { createTokenTree } from '../token-tree.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'

export interface TokenRecyclingOptions {
  /** Followers that are kept for each token. Default 8. */
  readonly width?: number
  /** Most nodes of a tree. Default 8. */
  readonly nodes?: number
  /** Whether followers are kept for pairs of tokens as well. Default true. */
  readonly bigrams?: boolean
  /** Whether what was learned is kept from one generation to the next. Default false: a prompt leaves no trace in later outputs' drafts. */
  readonly keep?: boolean
  /** Where to begin: what `save` gave, for the same model. */
  readonly adjacency?: AdjacencySnapshot
}

export interface TokenRecycling extends Drafter {
  /** What the latest generation learned, or what is kept; undefined before the first. */
  save(): AdjacencySnapshot | undefined
}

const MOST_PAIRS = 32_768
/** Followers of a node that are tried. */
const MOST_RANKS = 4
/** What is known of a token alone holds about half as often as what is known of a pair. */
const TRUST_ALONE = 0.5

/** @throws {ArgumentError} for a number that is not a whole one >= 1; from `begin`, for a snapshot of another model */
export function tokenRecycling(options: TokenRecyclingOptions = {}): TokenRecycling {
  const { width = 8, nodes = 8, bigrams = true, keep = false, adjacency } = options
  checkWholeNumbers({ width, nodes })
  let latest: Adjacency | undefined
  return {
    name: 'token recycling',
    mayMissSteps: true,
    save: () => latest?.snapshot(),
    begin(context) {
      const { lm, prompt } = context
      const { vocab } = lm.config
      const matrix = keep && latest?.vocab === vocab ? latest : createAdjacency(vocab, width, bigrams ? MOST_PAIRS : 0, adjacency)
      latest = matrix
      for (let i = 1; i < prompt.length; i++) matrix.see(prompt[i - 1] ?? 0, prompt[i] ?? 0)
      const guess = createGuess(matrix, width, context)
      // the token before the root of the next step
      let previous = prompt.at(-1) ?? -1
      return {
        propose({ tokens, most, deepest }) {
          previous = tokens.at(-2) ?? -1
          return growTree(guess, tokens, Math.min(most, nodes), deepest)
        },
        commit(step) {
          learnFrom(matrix, previous, step)
          previous = lastBefore(step)
        },
      }
    },
  }
}

/** The token before the next step's root: the last but one that was emitted, or the root of this step. */
function lastBefore({ emitted, rowTokens }: VerifiedStep): number {
  return emitted.at(-2) ?? rowTokens[0] ?? -1
}

/** Rejected rows have a text that did not come true: they say something of tokens of which nothing is known. */
function learnFrom(matrix: Adjacency, previous: number, { rowTokens, result, path }: VerifiedStep): void {
  const logits = result.logits?.data
  if (logits === undefined) return
  const rowOf = (row: number) => logits.subarray(row * matrix.vocab, (row + 1) * matrix.vocab)
  for (const [row, token] of rowTokens.entries()) if (!path.includes(row)) matrix.learnUnknown(token, rowOf(row))
  let before = previous
  for (const row of path) {
    const token = rowTokens[row] ?? 0
    matrix.learn(before, token, rowOf(row))
    before = token
  }
}

interface Guess {
  readonly token: number
  /** Probability that it follows, as far as is known. */
  readonly share: number
}

/** The likeliest followers at a position, best first. */
function createGuess(matrix: Adjacency, width: number, { sampling, sequence }: DraftContext) {
  const scores = new Float64Array(width)
  return (previous: number, token: number, position: number): readonly Guess[] => {
    const known = matrix.after(previous, token)
    const temperature = sampling.kind === 'sample' ? sampling.temperature : 0
    const key = sampling.kind === 'sample' && temperature > 0 ? noiseKey(sampling.seed, sequence, position) : undefined
    const found: Guess[] = []
    let best = Number.NEGATIVE_INFINITY
    for (let i = 0; i < width; i++) {
      const id = known.followers[i] ?? -1
      const score = known.scores[i] ?? 0
      scores[i] = id < 0 ? Number.NEGATIVE_INFINITY : key === undefined ? score : score / temperature + gumbelNoise(key, id)
      best = Math.max(best, scores[i] ?? best)
    }
    let sum = 0
    for (let i = 0; i < width; i++) sum += Math.exp((scores[i] ?? 0) - best)
    for (let i = 0; i < width; i++) {
      const id = known.followers[i] ?? -1
      if (id >= 0) found.push({ token: id, share: (Math.exp((scores[i] ?? 0) - best) / sum) * (known.isOfPair ? 1 : TRUST_ALONE) })
    }
    // a stable sort: equal ones stay in the model's order
    return found.sort((a, b) => b.share - a.share).slice(0, MOST_RANKS)
  }
}

interface OpenNode {
  readonly node: number
  readonly depth: number
  /** Probability of the node itself. */
  readonly value: number
  readonly token: number
  readonly guesses: readonly Guess[]
  next: number
}

function growTree(guess: ReturnType<typeof createGuess>, tokens: Int32Array, most: number, deepest: number) {
  const tree = createTokenTree()
  const root = tokens.at(-1) ?? 0
  const open: OpenNode[] = [
    { node: -1, depth: 0, value: 1, token: root, guesses: guess(tokens.at(-2) ?? -1, root, tokens.length), next: 0 },
  ]
  while (tree.size < most) {
    let best: OpenNode | undefined
    let worth = 0
    for (const each of open) {
      const own = each.value * (each.guesses[each.next]?.share ?? 0)
      if (own > worth) {
        best = each
        worth = own
      }
    }
    const chosen = best?.guesses[best.next]
    if (best === undefined || chosen === undefined) break
    best.next++
    const depth = best.depth + 1
    const node = tree.add(best.node, chosen.token, chosen.share)
    if (depth < deepest) {
      const guesses = guess(best.token, chosen.token, tokens.length + depth)
      open.push({ node, depth, value: worth, token: chosen.token, guesses, next: 0 })
    }
  }
  return tree.proposal()
}
