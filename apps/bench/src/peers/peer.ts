/** One way to run a language model, opened. Every side is used through its own public way to stream tokens, as a program would. */
export interface Peer extends AsyncDisposable {
  /**
   * Continues a prompt greedily by exactly so many tokens, from an empty cache.
   *
   * @param onToken  called as each new token becomes known
   */
  generate(prompt: readonly number[], newTokens: number, onToken: () => void): Promise<void>
  /**
   * @returns  [n - 1] natural log-probability of `tokens[i + 1]` after `tokens[0..i]`
   */
  logProbabilities(tokens: readonly number[]): Promise<Float64Array>
}

export interface PeerSettings {
  readonly threads: number
  readonly positions: number
}
