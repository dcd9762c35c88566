/**
 * Which tokens of an answer a draft had foreseen. A step that brings k tokens verified k - 1 of a draft and chose the last itself; the first token
 * comes from the prompt. Where the count of accepted tokens says otherwise (an answer that ended inside of a draft), none are marked.
 */
import type { SpeculationStatistics } from '@foretoken/generation'
import type { TokenRecord } from './token-record.ts'

export function withDraftMarks(
  tokens: readonly TokenRecord[],
  speculation: Pick<SpeculationStatistics, 'tokensByStep' | 'accepted'> | undefined,
): readonly TokenRecord[] {
  if (speculation === undefined) return tokens
  const { tokensByStep, accepted } = speculation
  const foreseen = tokensByStep.flatMap((count) => Array.from({ length: count }, (_, i) => i < count - 1))
  if (foreseen.length !== tokens.length - 1 || foreseen.filter(Boolean).length !== accepted) return tokens
  return tokens.map((token, i) => (foreseen[i - 1] === true ? { ...token, wasDrafted: true } : token))
}
