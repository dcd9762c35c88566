import type { Vocabulary } from '../vocabulary.ts'

/** The stage that knows the vocabulary: a piece of text to ids. */
export interface Model {
  readonly vocabulary: Vocabulary
  /** The token for what the vocabulary cannot express. */
  readonly unknownToken?: string
  /**
   * Appends the ids of one piece to `ids`.
   *
   * @throws {TokenizerInputError} when the piece cannot be expressed and there is no unknown token
   */
  tokenize(piece: string, ids: number[]): void
}

/**
 * Whether the model may produce this token from text. Special tokens come from where they are written, from the post-processor, and
 * from nowhere else: a user's text must not turn into one, not even where a piece of it spells one exactly.
 */
export type IsReserved = (id: number) => boolean
