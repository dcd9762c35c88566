/**
 * The stage that turns tokens back into text, as a stream: what a decoder is given and what it passes on are tokens that may arrive in
 * parts. Decoding a whole text is the same stream, fed at once, so streaming cannot disagree with it. A decoder passes on at once
 * what no later token can change, and keeps the rest until it can tell.
 */
export interface TokenSink {
  /**
   * @param text    a token or a part of one
   * @param begins  whether a token begins here
   * @param ends    whether it ends here; a part that ends nothing is continued by the next call or by `finish`
   */
  push(text: string, begins: boolean, ends: boolean): void
  /** No token follows: what was kept back must be passed on. */
  finish(): void
}

export interface Decoder {
  /** A fresh run of this stage that passes its result on to `next`. */
  start(next: TokenSink): TokenSink
  /** What a token stands for by itself, whatever its neighbours: text, or the bytes that it is a name for. */
  expand?(token: string): string | Uint8Array
}

/** A stage that needs whole tokens: parts are collected until the token ends. */
export function wholeTokens(next: TokenSink, handle: (token: string) => void, finish: () => void = () => {}): TokenSink {
  let parts = ''
  let isOpen = false
  const close = () => {
    const token = parts
    parts = ''
    isOpen = false
    handle(token)
  }
  return {
    push(text, begins, ends) {
      // A token that was left open ends where the next one begins.
      if (begins && isOpen) close()
      parts += text
      isOpen = true
      if (ends) close()
    },
    finish() {
      if (isOpen) close()
      finish()
      next.finish()
    },
  }
}

/** A stage that rewrites each token by itself, given its index. */
export function tokenDecoder(
  rewrite: (token: string, index: number) => string,
  expand: (token: string) => string = (token) => rewrite(token, 1),
): Decoder {
  return {
    expand,
    start(next) {
      let index = 0
      return wholeTokens(next, (token) => next.push(rewrite(token, index++), true, true))
    },
  }
}

export function sequenceDecoder(stages: readonly Decoder[]): Decoder {
  return {
    start: (next) => stages.reduceRight((sink, stage) => stage.start(sink), next),
    expand(token) {
      let current: string | Uint8Array = token
      for (const stage of stages) {
        if (typeof current !== 'string') break
        current = stage.expand?.(current) ?? current
      }
      return current
    },
  }
}
