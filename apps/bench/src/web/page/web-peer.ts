import type { WebPrompt } from '../web-job.ts'

/** One way to run a language model in a page, opened. Each is used through its own public way to stream text. */
export interface WebPeer {
  /**
   * Continues a prompt greedily by exactly so many tokens, from an empty cache.
   *
   * @param onPiece  called as text becomes known
   */
  generate(prompt: WebPrompt, newTokens: number, onPiece: () => void): Promise<void>
  /** @returns [n - 1] natural log-probability of `tokens[i + 1]` after `tokens[0..i]`; absent where the library tells none */
  logProbabilities?(tokens: readonly number[]): Promise<Float64Array>
}
