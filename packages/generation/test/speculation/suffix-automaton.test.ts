import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { createSuffixAutomaton, NO_MATCH } from '../../src/speculation/suffix-automaton.ts'

const randomText = (seed: number, length: number, vocab: number) => Array.from({ length }, (_, i) => randomStream({ seed }).below(vocab, i))

/** Length of the longest end of `text` that is in `within` as well, ending at an index that `mayEnd` allows. */
function longestEnd(text: readonly number[], within: readonly number[], mayEnd: (end: number) => boolean): number {
  let longest = 0
  for (let end = 1; end <= within.length; end++) {
    let length = 0
    while (length < Math.min(end, text.length) && within[end - 1 - length] === text[text.length - 1 - length]) length++
    if (mayEnd(end)) longest = Math.max(longest, length)
  }
  return longest
}

test.each([1, 2, 3, 4])('the repeated end is the longest there is, after every token of a random text (seed %i)', (seed) => {
  const text = randomText(seed, 150, 1 + seed)
  const automaton = createSuffixAutomaton()
  for (const [i, token] of text.entries()) {
    automaton.append(token)
    const so = text.slice(0, i + 1)
    const { matched, end } = automaton.repeated()
    expect(matched).toBe(longestEnd(so, so, (each) => each < so.length))
    if (matched > 0) expect(so.slice(end - matched, end)).toEqual(so.slice(-matched))
    expect(end).toBeLessThanOrEqual(i)
  }
  expect(Array.from(automaton.tokens)).toEqual(text)
})

test.each([1, 2, 3])('another text is followed with the longest match, at a place where it stands (seed %i)', (seed) => {
  const library = randomText(seed, 120, 3)
  const text = randomText(seed + 50, 120, 4)
  const automaton = createSuffixAutomaton()
  for (const token of library) automaton.append(token)
  let match = NO_MATCH
  for (const [i, token] of text.entries()) {
    match = automaton.follow(match, token)
    const so = text.slice(0, i + 1)
    expect(match.matched).toBe(longestEnd(so, library, () => true))
    if (match.matched > 0) expect(library.slice(match.end - match.matched, match.end)).toEqual(so.slice(-match.matched))
  }
})
