/**
 * Stop strings in streamed text. Text that could still become a stop string is held back, so that nothing has to be taken back;
 * the result does not depend on where the pieces of text are cut. Of several stop strings the one that is complete first counts,
 * of those the one that began first.
 */
import { ArgumentError } from '@foretoken/tensor'

export interface StopStringMatcher {
  /** The text that has become certain. When `isStopped`, it ends before the stop string, and nothing may follow. */
  push(text: string): { readonly text: string; readonly isStopped: boolean }
  /** What is still held back: the output ended without a stop string. */
  flush(): string
}

/** @throws {ArgumentError} for an empty stop string, which would match everywhere */
export function createStopStringMatcher(stopStrings: readonly string[]): StopStringMatcher {
  for (const [index, stop] of stopStrings.entries()) {
    if (stop.length === 0) {
      throw new ArgumentError({ field: `stopStrings[${index}]`, found: 'an empty string', expected: 'at least one character' })
    }
  }
  let held = ''
  return {
    push(text) {
      held += text
      const match = firstMatch(held, stopStrings)
      if (match >= 0) {
        const before = held.slice(0, match)
        held = ''
        return { text: before, isStopped: true }
      }
      const certain = held.length - longestBeginning(held, stopStrings)
      const released = held.slice(0, certain)
      held = held.slice(certain)
      return { text: released, isStopped: false }
    },
    flush() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** Where the stop string begins that ends first in the text, -1 when there is none. */
function firstMatch(text: string, stopStrings: readonly string[]): number {
  let start = -1
  let end = Number.POSITIVE_INFINITY
  for (const stop of stopStrings) {
    const at = text.indexOf(stop)
    if (at < 0 || at + stop.length > end) continue
    if (at + stop.length < end || at < start) {
      start = at
      end = at + stop.length
    }
  }
  return start
}

/** Length of the longest end of the text that a stop string begins with. */
function longestBeginning(text: string, stopStrings: readonly string[]): number {
  let longest = 0
  for (const stop of stopStrings) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) {
        longest = length
        break
      }
    }
  }
  return longest
}
