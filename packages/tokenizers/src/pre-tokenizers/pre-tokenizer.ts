/** A piece of text on its way to the model. Each piece is tokenized by itself. */
export interface Piece {
  readonly text: string
  /**
   * Where the piece begins in the normalised text of its section, in UTF-16 code units, counted from the start of the whole input:
   * 0 only for what begins the input. Characters that a pre-tokenizer adds or rewrites do not move it.
   */
  readonly start: number
}

/** The stage that cuts normalised text into pieces. */
export interface PreTokenizer {
  /** Appends the pieces of a piece to `pieces`; empty ones are left out. */
  split(piece: Piece, pieces: Piece[]): void
}

export function sequencePreTokenizer(stages: readonly PreTokenizer[]): PreTokenizer {
  return {
    split(piece, pieces) {
      let current: Piece[] = [piece]
      for (const stage of stages) {
        const next: Piece[] = []
        for (let i = 0; i < current.length; i++) stage.split(current[i] ?? piece, next)
        current = next
      }
      for (let i = 0; i < current.length; i++) pieces.push(current[i] ?? piece)
    },
  }
}
