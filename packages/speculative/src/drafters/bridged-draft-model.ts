/**
 * A second model with another tokenizer drafts, bridged on the text: the output is written in its tokens, it goes on, and what it wrote is written in the
 * target's tokens (as in "universal assisted generation", Timor et al. 2025). Lossless all the same, because the target verifies tokens of its own.
 * Noise is keyed by token ids, which mean nothing to the other model, so drafts are greedy at any temperature. Costs as `draftModel` does, and both ways of
 * the text.
 */
import { createTokenRanking, type Drafter, type Proposal } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import type { Tokenizer } from '@foretoken/tokenizers'
import { chainProposal, checkProbability } from '../draft-chain.ts'
import { draftLogits } from '../draft-logits.ts'
import { DraftRows } from '../draft-rows.ts'
import { VocabularyError } from '../errors.ts'
import { bridgeOutput, continueInTokens } from '../text-bridge.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'

export interface BridgedDraftOptions {
  /** Most tokens of the draft model. Default 6. */
  readonly draftTokens?: number
  /** A draft ends where the draft model gives all of it a lower probability; 0 to 1. Default 0.15. */
  readonly leastConfidence?: number
}

/**
 * @param draft  stays the caller's; may draft for several generations at once
 * @throws {ArgumentError} for a number outside of its range
 * @throws {VocabularyError} when a generation begins and one of the models has no tokenizer
 */
export function bridgedDraftModel(draft: CausalLM, { draftTokens = 6, leastConfidence = 0.15 }: BridgedDraftOptions = {}): Drafter {
  checkWholeNumbers({ draftTokens })
  checkProbability('leastConfidence', leastConfidence)
  return {
    name: 'draft model of another tokenizer',
    mayMissSteps: true,
    begin({ lm, signal }) {
      const own = requireTokenizer(lm, 'the model')
      const other = requireTokenizer(draft, 'the draft model')
      const output = bridgeOutput(own, other)
      const rows = new DraftRows(draft, { promptLength: 0, signal })
      const writer: Writer = {
        rows,
        tokenizer: other,
        ranking: createTokenRanking({ kind: 'greedy' }, Math.min(draft.config.vocab, other.vocabularySize), 1),
        rowOf: draftLogits(draft, Math.min(draft.config.vocab, other.vocabularySize)),
        least: leastConfidence,
      }
      return {
        async propose({ tokens, most, deepest }) {
          output.read(tokens)
          const ids = output.ids()
          const room = Math.min(draftTokens, draft.config.maxPositions - ids.length)
          if (ids.length === 0 || room < 1) return undefined
          const { text, value } = await write(writer, ids, room)
          if (text === '') return undefined
          const next = continueInTokens(own, tokens, text, output.hasPartialCharacter)
          return chainOf(next.subarray(0, Math.min(most, deepest)), next.length, value, lm.config.vocab)
        },
        end: () => rows[Symbol.asyncDispose](),
      }
    },
  }
}

interface Writer {
  readonly rows: DraftRows
  readonly tokenizer: Tokenizer
  readonly rowOf: (logits: Float32Array) => Float32Array
  readonly ranking: ReturnType<typeof createTokenRanking>
  readonly least: number
}

/** What the draft model writes, whole characters alone, and the probability that it gives that. */
async function write({ rows, rowOf, tokenizer, ranking, least }: Writer, ids: Int32Array, room: number) {
  const stream = tokenizer.stream()
  // some tokenizers leave out the first space of a text
  for (const id of ids.subarray(-8)) stream.push(id)
  let text = ''
  let value = 1
  let written = 0
  for (let logits = await rows.follow(ids); ; ) {
    const { count, tokens, shares } = ranking.rank(rowOf(logits), 0, 0)
    const [token = 0] = tokens
    if (count === 0 || value * (shares[0] ?? 0) < least || tokenizer.isSpecial(token)) break
    value *= shares[0] ?? 0
    text += stream.push(token)
    if (++written === room) break
    logits = await rows.extend(token)
  }
  return { text, value }
}

/** @param count  tokens of the whole text, over which its probability is spread */
function chainOf(tokens: Int32Array, count: number, value: number, vocab: number): Proposal | undefined {
  const unknown = tokens.findIndex((token) => token >= vocab)
  const known = [...(unknown < 0 ? tokens : tokens.subarray(0, unknown))]
  return chainProposal(
    known,
    known.map(() => value ** (1 / count)),
  )
}

function requireTokenizer({ tokenizer }: CausalLM, whose: string): Tokenizer {
  if (tokenizer !== undefined) return tokenizer
  throw new VocabularyError({ field: whose, found: 'no tokenizer', expected: 'one to bridge the two on the text' })
}
