/**
 * A generation that is computed for a reader elsewhere: at most so many pieces ahead of what was asked for. The step that ends a generation, and
 * makes its rows part of the conversation, waits until the reader asks for what comes after the last piece, as in one thread.
 */
import type { Piece } from '../messages/protocol.ts'

/** How a reader stopped. */
type Stop = { readonly kind: 'left'; readonly ids: number } | { readonly kind: 'aborted'; readonly reason: unknown }

export class PacedPieces {
  readonly #ahead: number
  #asked = 0
  #stop: Stop | undefined
  #onChange: (() => void) | undefined

  constructor(ahead: number) {
    this.#ahead = ahead
  }

  ask(pieces: number): void {
    this.#asked = Math.max(this.#asked, pieces)
    this.#onChange?.()
  }

  leave(ids: number): void {
    this.#stop ??= { kind: 'left', ids }
    this.#onChange?.()
  }

  abort(reason: unknown): void {
    this.#stop ??= { kind: 'aborted', reason }
    this.#onChange?.()
  }

  /**
   * Hands out pieces until there are no more or the reader stops.
   *
   * @returns how many ids the reader had seen when it left; undefined at the end
   * @throws the reason of an abort, and what the generation throws
   */
  async run(pieces: AsyncIterator<Piece, unknown, undefined>, handOut: (piece: Piece) => void): Promise<number | undefined> {
    let sent = 0
    let isLast = false
    for (;;) {
      while (this.#stop === undefined && sent >= this.#asked + (isLast ? 0 : this.#ahead)) await this.#change()
      const stop = this.#stop
      if (stop?.kind === 'left') {
        await pieces.return?.()
        return stop.ids
      }
      // thrown where the generation waits, so that it undoes what it did
      if (stop !== undefined) {
        await pieces.throw?.(stop.reason)
        throw stop.reason
      }
      const next = await pieces.next()
      if (next.done === true) return undefined
      if (this.#stop !== undefined) continue
      const piece = next.value
      handOut(piece)
      sent++
      isLast = piece.finishReason !== undefined && !('row' in piece)
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve
    })
  }
}
