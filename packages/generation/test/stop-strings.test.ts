import { createStopStringMatcher } from '@foretoken/generation'
import fc from 'fast-check'
import { expect, test } from 'vitest'

function run(pieces: readonly string[], stops: readonly string[]): { text: string; isStopped: boolean } {
  const matcher = createStopStringMatcher(stops)
  let text = ''
  for (const piece of pieces) {
    const result = matcher.push(piece)
    text += result.text
    if (result.isStopped) return { text, isStopped: true }
  }
  return { text: text + matcher.flush(), isStopped: false }
}

/** The first moment at which the text read so far ends with a stop string; of several the longest. */
function slow(text: string, stops: readonly string[]): { text: string; isStopped: boolean } {
  for (let end = 1; end <= text.length; end++) {
    const read = text.slice(0, end)
    const longest = Math.max(-1, ...stops.filter((stop) => read.endsWith(stop)).map((stop) => stop.length))
    if (longest >= 0) return { text: read.slice(0, end - longest), isStopped: true }
  }
  return { text, isStopped: false }
}

test('a match across pieces is cut before its beginning', () => {
  expect(run(['ab', 'c', 'de'], ['bcd'])).toEqual({ text: 'a', isStopped: true })
})

test('only what can still become a stop string is held back', () => {
  const matcher = createStopStringMatcher(['aab'])
  expect(matcher.push('xa').text).toBe('x')
  expect(matcher.push('a').text).toBe('')
  expect(matcher.push('a').text).toBe('a')
  expect(matcher.push('c').text).toBe('aac')
})

test('of two stop strings the one that is complete first counts', () => {
  expect(run(['abc'], ['abc', 'b'])).toEqual({ text: 'a', isStopped: true })
})

test('of two that are complete at once the one that began first counts', () => {
  expect(run(['xab'], ['b', 'ab'])).toEqual({ text: 'x', isStopped: true })
})

test('any way of cutting a text into pieces gives the result of reading it letter by letter', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 })
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), { maxLength: 3 })
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 10 }), stops, (pieces, stopStrings) => {
      expect(run(pieces, stopStrings)).toEqual(slow(pieces.join(''), stopStrings))
    }),
    { seed: 22, numRuns: 500 },
  )
})

test('an empty stop string is refused', () => {
  expect(() => createStopStringMatcher(['a', ''])).toThrow(expect.objectContaining({ code: 'argument', found: 'an empty string' }))
})
