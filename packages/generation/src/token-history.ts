import { ArgumentError } from '@foretoken/tensor'

/** The tokens of one sequence, growing at its end. */
export interface TokenHistory {
  /** [length] a view that is valid until the next push. */
  readonly tokens: Int32Array
  readonly promptLength: number
  push(token: number): void
  /** @throws {ArgumentError} when only the prompt is left */
  pop(): void
  fork(): TokenHistory
}

/** @param prompt  [tokens] copied */
export function createTokenHistory(prompt: ArrayLike<number>): TokenHistory {
  return historyOf(Int32Array.from(prompt), prompt.length, prompt.length)
}

function historyOf(initial: Int32Array, initialLength: number, promptLength: number): TokenHistory {
  let storage = initial
  let length = initialLength
  return {
    get tokens() {
      return storage.subarray(0, length)
    },
    promptLength,
    push(token) {
      if (length === storage.length) {
        const larger = new Int32Array(Math.max(64, 2 * length))
        larger.set(storage)
        storage = larger
      }
      storage[length++] = token
    },
    pop() {
      if (length === promptLength) throw new ArgumentError({ field: 'pop', found: 'no pushed token', expected: 'one to take back' })
      length--
    },
    fork: () => historyOf(storage.slice(0, length), length, promptLength),
  }
}
