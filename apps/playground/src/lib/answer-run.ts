/** One answer being written: pieces become token records, and a stop is an ending like another. */
import type { FinishReason, GenerationPiece, GenerationStatistics } from '@foretoken/generation'
import type { AnswerRequest, Branch } from './model-session.ts'
import type { TokenLabels } from './token-labels.ts'
import type { TokenRecord } from './token-record.ts'

export interface AnswerEnd {
  readonly ending: FinishReason | 'stopped'
  readonly statistics?: GenerationStatistics
}

/**
 * Generates until the end, or until the user stops it. Leaving the loop after a token keeps what was written in the cache, so that is how an
 * answer is stopped once it has begun; the signal of the request ends a prompt that is still being read.
 *
 * @param isStopped  whether the user has stopped it
 * @param onToken  each token as it comes; labels that are not known yet are empty (`labelled` fills them in)
 * @param clock    milliseconds from an arbitrary start
 * @throws what the generation throws, unless the signal was the reason
 */
export async function runAnswer(
  branch: Branch,
  request: AnswerRequest,
  labels: TokenLabels,
  onToken: (token: TokenRecord) => void,
  isStopped: () => boolean = () => request.signal.aborted,
  clock: () => number = () => performance.now(),
): Promise<AnswerEnd> {
  let before = clock()
  try {
    for await (const piece of branch.generate(request)) {
      if (isStopped()) break
      const now = clock()
      labels.request([...piece.ids, ...(piece.topLogProbabilities ?? []).flat().map(({ id }) => id)])
      for (const token of recordsOf(piece, labels, now - before)) onToken(token)
      before = now
      const { finishReason, statistics } = piece
      if (finishReason !== undefined) return { ending: finishReason, ...(statistics === undefined ? {} : { statistics }) }
    }
  } catch (error) {
    if (!request.signal.aborted) throw error
  }
  return { ending: 'stopped' }
}

/** The same tokens with all labels that are known. */
export function labelled(tokens: readonly TokenRecord[], labels: TokenLabels): readonly TokenRecord[] {
  const name = <T extends { readonly id: number; readonly label: string }>(token: T): T => ({
    ...token,
    label: labels.get(token.id) ?? token.label,
  })
  return tokens.map((token) => ({ ...name(token), alternatives: token.alternatives.map(name) }))
}

function recordsOf(piece: GenerationPiece, labels: TokenLabels, elapsedMs: number): readonly TokenRecord[] {
  const { ids, logProbabilities, topLogProbabilities = [], text } = piece
  const label = (id: number) => labels.get(id) ?? ''
  return ids.map((id, i) => ({
    id,
    // the text of a piece belongs to its last token: until then nothing was certain
    text: i === ids.length - 1 ? text : '',
    label: label(id),
    logProbability: logProbabilities[i] ?? Number.NaN,
    alternatives: (topLogProbabilities[i] ?? []).map((each) => ({ ...each, label: label(each.id) })),
    elapsedMs: i === 0 ? elapsedMs : 0,
  }))
}
