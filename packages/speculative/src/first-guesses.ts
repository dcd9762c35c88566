/** What is guessed of tokens of which nothing is known: that they follow each other as they last did in the text. */
export interface FirstGuesses {
  /** Reads what is new in the text. */
  read(tokens: Int32Array): void
  /** The token that last followed this one; the same one again when it was never followed. */
  after(token: number): number
}

export function createFirstGuesses(): FirstGuesses {
  const followers = new Map<number, number>()
  let read = 1
  return {
    read(tokens) {
      for (; read < tokens.length; read++) followers.set(tokens[read - 1] ?? 0, tokens[read] ?? 0)
    },
    after: (token) => followers.get(token) ?? token,
  }
}
