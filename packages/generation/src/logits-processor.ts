/**
 * Logits processors change the scores of one row before a token is chosen from it. A processor is a pure function of the row and
 * of the tokens before it; what it remembers of those tokens lies in a state that can be pushed, popped and forked. So plain
 * decoding, beams and the nodes of a draft tree see the same processed row for the same prefix.
 *
 * The order is that of transformers: logit bias, repetition penalty, presence and frequency penalty, no-repeat n-gram, bad words,
 * minimum length, then the caller's own in the order given, and after all of them the steps of `Sampling`.
 */
import { createTokenHistory, type TokenHistory } from './token-history.ts'

export interface LogitsProcessor {
  /** For error messages. */
  readonly name: string
  /**
   * Begins to follow one sequence. A processor may follow many sequences at once: they share nothing that changes.
   *
   * @param prompt  [tokens] ids of the prompt; must be copied if it is kept
   */
  follow(prompt: Int32Array): ProcessorState
}

/** What a processor knows about the tokens before a row. */
export interface ProcessorState {
  /**
   * Changes the row in place; -Infinity forbids a token. Must not change the state.
   *
   * @param logits  [vocab] scores after the processors before this one
   */
  apply(logits: Float32Array): void
  /** A token was appended. */
  push(token: number): void
  /** The last pushed token is taken back. */
  pop(): void
  /** An independent state at the same point. */
  fork(): ProcessorState
}

/** The tokens before a row. */
export interface TokenPrefix {
  /** [tokens] ids of the prompt and of what was generated; valid during the call. */
  readonly tokens: Int32Array
  readonly promptLength: number
}

/**
 * The simplest way to write a processor: a function of the row and of all tokens before it, without a memory of its own.
 *
 * @example prefixProcessor('no two equal tokens in a row', (logits, { tokens }) => { logits[tokens.at(-1) ?? 0] = -Infinity })
 */
export function prefixProcessor(name: string, process: (logits: Float32Array, prefix: TokenPrefix) => void): LogitsProcessor {
  const state = (history: TokenHistory): ProcessorState => ({
    apply: (logits) => process(logits, history),
    push: (token) => history.push(token),
    pop: () => history.pop(),
    fork: () => state(history.fork()),
  })
  return { name, follow: (prompt) => state(createTokenHistory(prompt)) }
}

/** Several processors as one, applied in order. */
export function processorChain(processors: readonly LogitsProcessor[]): LogitsProcessor {
  const state = (states: readonly ProcessorState[]): ProcessorState => ({
    apply(logits) {
      for (const each of states) each.apply(logits)
    },
    push(token) {
      for (const each of states) each.push(token)
    },
    pop() {
      for (const each of states) each.pop()
    },
    fork: () => state(states.map((each) => each.fork())),
  })
  return {
    name: processors.map(({ name }) => name).join(', '),
    follow: (prompt) => state(processors.map((each) => each.follow(prompt))),
  }
}
