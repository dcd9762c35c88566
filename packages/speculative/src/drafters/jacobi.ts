/**
 * Jacobi decoding (Santilli et al. 2023): a block of guessed tokens is verified as a draft, and what the model says after each of them, right or wrong, is the
 * next guess of the token behind it. The iteration is at its fixed point where every guess is what the model says after the ones before it, which is
 * its output; one token at least is right in each step. With the noise of the positions held fixed that is true of sampled outputs as well, where
 * "the guess did not change" would otherwise never come true. No second model and no training; rows are what it costs.
 */
import type { Drafter } from '@foretoken/generation'
import { chainProposal } from '../draft-chain.ts'
import { createFirstGuesses } from '../first-guesses.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'
import { createWindowChoices } from '../window-choices.ts'

export interface JacobiOptions {
  /** Tokens that are guessed at once. Default 4. */
  readonly block?: number
}

/** First guess of how often a guess of each depth is right. */
const RIGHT = 0.3

/** @throws {ArgumentError} for a number that is not a whole one >= 1 */
export function jacobi({ block = 4 }: JacobiOptions = {}): Drafter {
  checkWholeNumbers({ block })
  return {
    name: 'Jacobi decoding',
    begin(context) {
      const choose = createWindowChoices(context)
      const first = createFirstGuesses()
      let guesses: number[] = []
      return {
        propose({ tokens, most, deepest }) {
          first.read(tokens)
          const room = Math.min(block, most, deepest)
          while (guesses.length < room) guesses.push(first.after(guesses.at(-1) ?? tokens.at(-1) ?? 0))
          guesses.length = room
          return chainProposal(
            guesses,
            guesses.map(() => RIGHT),
          )
        },
        commit(step) {
          // the row of the first wrong guess stands where the last emitted token belongs: what came out behind it is a guess of the token after that
          const rows = step.proposal === undefined ? 0 : 1 + step.proposal.tokens.length
          guesses = []
          for (let row = step.emitted.length; row < rows; row++) {
            const token = choose(step, row, row)
            if (token < 0) break
            guesses.push(token)
          }
        },
      }
    },
  }
}
