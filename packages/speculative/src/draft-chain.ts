/** Drafting with a model, token by token: what a second model and the first layers of the same one have in common. */
import type { DraftContext, Drafter, Proposal } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { createDraftChoices } from './draft-choices.ts'
import type { DraftRows } from './draft-rows.ts'
import { sharedVocabulary } from './shared-vocabulary.ts'
import { checkWholeNumbers } from './whole-numbers.ts'

/** Ranked for the confidence: the rest counts without its noise. */
const RANKED = 8

export interface DraftChainOptions {
  readonly draftTokens?: number
  readonly leastConfidence?: number
}

/** @param rowsFor  the rows of the model for one generation, closed with it */
export function draftChain(
  name: string,
  draft: CausalLM,
  { draftTokens = 4, leastConfidence = 0.15 }: DraftChainOptions,
  rowsFor: (context: DraftContext) => DraftRows,
): Drafter {
  checkWholeNumbers({ draftTokens })
  checkProbability('leastConfidence', leastConfidence)
  return {
    name,
    mayMissSteps: true,
    begin(context) {
      const choices = createDraftChoices(context, draft, sharedVocabulary(context.lm, draft), RANKED)
      const rows = rowsFor(context)
      return {
        async propose({ tokens, most, deepest }) {
          const room = Math.min(draftTokens, most, deepest, draft.config.maxPositions - tokens.length)
          if (room < 1) return undefined
          choices.follow(tokens)
          const drafted: number[] = []
          const confidences: number[] = []
          let value = 1
          for (let logits = await rows.follow(tokens); ; logits = await rows.extend(drafted.at(-1) ?? 0)) {
            const { count, tokens: ranked, shares } = choices.rank(logits, drafted)
            const share = count === 0 ? 0 : (shares[0] ?? 0)
            value *= share
            if (count === 0 || value < leastConfidence) break
            drafted.push(ranked[0] ?? 0)
            confidences.push(share)
            if (drafted.length === room || context.stopTokens.has(ranked[0] ?? -1)) break
          }
          return chainProposal(drafted, confidences)
        },
        end: () => rows[Symbol.asyncDispose](),
      }
    },
  }
}

/** Tokens one below the other; undefined without any. */
export function chainProposal(tokens: readonly number[], confidences: readonly number[]): Proposal | undefined {
  if (tokens.length === 0) return undefined
  return {
    tokens: Int32Array.from(tokens),
    parents: Int32Array.from(tokens, (_, i) => i - 1),
    confidences: Float64Array.from(confidences),
  }
}

/** @throws {ArgumentError} unless the number is from 0 to 1 */
export function checkProbability(field: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ArgumentError({ field, found: String(value), expected: 'a number from 0 to 1' })
}
