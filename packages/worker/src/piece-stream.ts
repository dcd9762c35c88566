/**
 * Pieces on their way to one reader: those that have arrived and were not read yet, and how many were asked for. The host computes a few more than
 * were asked for, so that a reader that is busy for a moment does not hold it up, and no more than these.
 */
import type { Piece } from './messages/protocol.ts'

export interface PieceSource {
  readonly signal: AbortSignal | undefined
  begin(): void
  /** So many pieces have been asked for, this one included. */
  ask(pieces: number): void
  /** The reader has left after so many ids. */
  leave(ids: number): void
  abort(): void
}

type Outcome = { readonly kind: 'end' } | { readonly kind: 'failure'; readonly error: unknown }

export class PieceStream {
  readonly #source: PieceSource
  readonly #arrived: Piece[] = []
  #outcome: Outcome | undefined
  #onChange: (() => void) | undefined
  #isAborted = false

  constructor(source: PieceSource) {
    this.#source = source
  }

  push(piece: Piece): void {
    this.#arrived.push(piece)
    this.#onChange?.()
  }

  end(): void {
    this.#outcome = { kind: 'end' }
    this.#onChange?.()
  }

  fail(error: unknown): void {
    this.#outcome = { kind: 'failure', error }
    this.#onChange?.()
  }

  /** The pieces in order. Whoever stops reading waits until the host has stopped as well. */
  async *read(): AsyncGenerator<Piece, void, undefined> {
    const { signal } = this.#source
    signal?.throwIfAborted()
    const onAbort = () => {
      this.#isAborted = true
      this.#source.abort()
      this.#onChange?.()
    }
    this.#source.begin()
    signal?.addEventListener('abort', onAbort)
    let asked = 0
    let ids = 0
    try {
      for (;;) {
        asked++
        if (this.#outcome === undefined) this.#source.ask(asked)
        const piece = await this.#next()
        if (piece === undefined) return
        ids += piece.ids.length
        yield piece
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (this.#outcome === undefined) {
        this.#source.leave(ids)
        await this.#settled()
      }
    }
  }

  /** @returns undefined after the last one */
  async #next(): Promise<Piece | undefined> {
    while (this.#outcome === undefined && (this.#isAborted || this.#arrived.length === 0)) await this.#change()
    // what was computed ahead of an abort is not part of the output; one that comes after the last piece was read changes nothing
    const wasCutOff = this.#outcome?.kind === 'failure' || this.#arrived.length > 0
    if (this.#isAborted && this.#outcome !== undefined && wasCutOff) throw this.#abortReason(this.#outcome)
    const piece = this.#arrived.shift()
    if (piece === undefined && this.#outcome?.kind === 'failure') throw this.#outcome.error
    return piece
  }

  #abortReason(outcome: Outcome): unknown {
    return outcome.kind === 'failure' && isCrash(outcome.error) ? outcome.error : this.#source.signal?.reason
  }

  async #settled(): Promise<void> {
    while (this.#outcome === undefined) await this.#change()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve
    })
  }
}

function isCrash(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'worker-crashed' || error.code === 'disposed')
}
