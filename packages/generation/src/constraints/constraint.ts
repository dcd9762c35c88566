/**
 * What an output may be. A constraint says for every beginning of an output which tokens may come next; what it knows of one output lies in a
 * state that can be pushed, popped and forked, so that beams and the nodes of a draft tree are each masked by their own prefix.
 */

/** A rule for outputs. Made once, used for any number of generations at the same time. */
export interface Constraint {
  /** For error messages. */
  readonly name: string
  /**
   * Begins to follow an output that has no token yet.
   *
   * @throws {ConstraintError} when no output over this vocabulary can hold
   */
  follow(vocabulary: OutputVocabulary): ConstraintState
}

export interface ConstraintState {
  /** Sets the logits of all tokens to -Infinity that no permitted output goes on with. Stop tokens stay where the output may end. Changes no state. */
  mask(logits: Float32Array): void
  /** Whether a token may come next. */
  allows(token: number): boolean
  /** Whether the output may end here. */
  readonly mayEnd: boolean
  /** The bytes that every permitted output goes on with, as far as there is no choice; no more than a few dozen. */
  readonly forced: Uint8Array
  /** A token was appended. After one that is not allowed nothing is. */
  push(token: number): void
  /** The last pushed token is taken back. */
  pop(): void
  /** An independent state at the same point. */
  fork(): ConstraintState
}

/** The tokens that outputs are made of. */
export interface OutputVocabulary {
  /** Logits per row. */
  readonly size: number
  /** The bytes of text that a token stands for; undefined for tokens that are no text (special ones, ids without a token). */
  bytesOf(token: number): Uint8Array | undefined
  /** Tokens that end an output. */
  readonly stopTokens: ReadonlySet<number>
  /** Whether the output's text begins without the space that its first token carries, as with SentencePiece. */
  readonly dropsFirstSpace: boolean
}
