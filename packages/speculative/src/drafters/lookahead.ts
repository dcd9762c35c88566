/**
 * Lookahead decoding (Fu et al. 2024): beside the step a window of guesses is kept, columns of tokens for the places ahead, each row of it one Jacobi
 * iteration newer than the one below. What the model says after the top of a column goes on top of it; a full column is an n-gram that the model itself has
 * written, and goes into a pool. Runs of the pool that begin with the last token of the output are verified as branches.
 *
 * The window is rows that are computed and never verified. The lowest tokens of the columns follow each other, and above them each column sees its own
 * tokens and the lowest ones up to itself: that is a tree, so no mask of its own is needed. It costs `columns * (ngram - 1)` rows in each step, which on a
 * processor is seldom worth it: measure, or take `ngramPool`, which reads its n-grams off the text.
 */
import type { Drafter, DraftSession, UnverifiedRows, VerifiedStep } from '@foretoken/generation'
import { ArgumentError } from '@foretoken/tensor'
import { createFirstGuesses } from '../first-guesses.ts'
import { createTokenTree } from '../token-tree.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'
import { createWindowChoices } from '../window-choices.ts'

export interface LookaheadOptions {
  /** Tokens of an n-gram, its first among them, >= 2. Default 3. */
  readonly ngram?: number
  /** Places ahead that are guessed. Default 2. */
  readonly columns?: number
  /** Runs of the pool that are verified in a step. Default 2. */
  readonly runs?: number
  /** Runs that are kept for a token. Default 8. */
  readonly runsPerToken?: number
}

/** Where the rows of a column's tokens are: its top is what matters. */
interface PlacedColumn {
  readonly tokens: number[]
  /** Row of the step, -1 for a column that found no room. */
  topRow: number
}

/** @throws {ArgumentError} for a number outside of its range */
export function lookahead({ ngram = 3, columns = 2, runs = 2, runsPerToken = 8 }: LookaheadOptions = {}): Drafter {
  checkWholeNumbers({ ngram, columns, runs, runsPerToken })
  if (ngram < 2) throw new ArgumentError({ field: 'ngram', found: String(ngram), expected: 'a whole number >= 2' })
  return {
    name: 'lookahead decoding',
    begin(context): DraftSession {
      const choose = createWindowChoices(context)
      const first = createFirstGuesses()
      const pool = new Map<number, readonly number[][]>()
      let window: PlacedColumn[] = []
      return {
        propose({ tokens, most, deepest }) {
          const root = tokens.at(-1) ?? 0
          first.read(tokens)
          while (window.length < columns) window.push({ tokens: [first.after(window.at(-1)?.tokens[0] ?? root)], topRow: -1 })
          const tree = createTokenTree()
          for (const [rank, run] of (pool.get(root) ?? []).slice(0, runs).entries()) {
            let parent = -1
            for (const token of run.slice(0, deepest)) {
              if (tree.size === most) break
              parent = tree.add(parent, token, parent < 0 ? 0.4 / (rank + 1) : 0.6)
            }
          }
          const nodes = tree.proposal() ?? { tokens: new Int32Array(0), parents: new Int32Array(0) }
          const mayBranch = context.lm.capabilities.treeVisibility
          if (!mayBranch) return nodes.tokens.length === 0 ? undefined : nodes
          const ahead = context.lm.config.maxPositions - tokens.length
          return { ...nodes, unverified: placeWindow(window, nodes.tokens.length, most - nodes.tokens.length, ahead) }
        },
        commit(step) {
          for (const [place, column] of window.entries()) {
            if (step.proposal?.unverified === undefined || column.topRow < 0) continue
            // the lowest token of the first column stands one place behind the root
            const token = choose(step, column.topRow, place + column.tokens.length)
            if (token < 0) continue
            column.tokens.push(token)
            if (column.tokens.length < ngram) continue
            const [key = 0, ...run] = column.tokens
            keep(pool, key, run, runsPerToken)
            column.tokens.shift()
          }
          window = movedOn(window, step)
        },
      }
    },
  }
}

/** The window as rows: first the lowest tokens, one below the other, then what stands on each; as far as there is room. */
function placeWindow(window: readonly PlacedColumn[], nodes: number, room: number, ahead: number): UnverifiedRows {
  const tokens: number[] = []
  const parents: number[] = []
  const lowest: number[] = []
  for (const [place, column] of window.entries()) {
    column.topRow = -1
    if (tokens.length === room || place + 1 > ahead) continue
    parents.push(place === 0 ? -1 : nodes + tokens.length - 1)
    tokens.push(column.tokens[0] ?? 0)
    lowest.push(tokens.length - 1)
  }
  for (const [place, bottom] of lowest.entries()) {
    const column = window[place]
    if (column === undefined || tokens.length + column.tokens.length - 1 > room || place + column.tokens.length > ahead) continue
    let parent = bottom
    for (const token of column.tokens.slice(1)) {
      parents.push(nodes + parent)
      tokens.push(token)
      parent = tokens.length - 1
    }
    column.topRow = 1 + nodes + parent
  }
  return { tokens: Int32Array.from(tokens), parents: Int32Array.from(parents) }
}

/**
 * A full column has lost its lowest token, so all of it stands one place further on, as the root does when one token comes out; one that is still growing
 * stays in its place. Of more tokens, as many columns are behind the root, and go.
 */
function movedOn(window: PlacedColumn[], { emitted }: VerifiedStep): PlacedColumn[] {
  return window.slice(Math.max(0, emitted.length - 1))
}

/** The latest run comes first; one that is known moves up. */
function keep(pool: Map<number, readonly number[][]>, key: number, run: number[], most: number): void {
  const others = (pool.get(key) ?? []).filter((other) => other.some((token, i) => token !== run[i]))
  pool.set(key, [run, ...others].slice(0, most))
}
