import {
  badWords,
  frequencyPenalty,
  type LogitsProcessor,
  logitBias,
  minimumLength,
  noRepeatNgram,
  prefixProcessor,
  processorChain,
  repetitionPenalty,
} from '@foretoken/generation'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slowBadWords, slowFrequency, slowMinimumLength, slowNoRepeatNgram, slowRepetition } from '../slow/processors.ts'

const VOCAB = 6
const NONE = Number.NEGATIVE_INFINITY

function applied(processor: LogitsProcessor, prompt: readonly number[], output: readonly number[], scores: readonly number[]): number[] {
  const state = processor.follow(Int32Array.from(prompt))
  for (const token of output) state.push(token)
  const row = Float32Array.from(scores)
  state.apply(row)
  return Array.from(row)
}

const asFloat32 = (scores: readonly number[]) => Array.from(Float32Array.from(scores))

describe('by hand', () => {
  test('the repetition penalty divides positive and multiplies negative logits of the prompt and the output, once each', () => {
    expect(applied(repetitionPenalty(2), [0, 0], [2, 3], [4, 4, -4, 0, -4, 4])).toEqual([2, 4, -8, 0, -4, 4])
  })

  test('presence counts once and frequency each time, in the output alone', () => {
    expect(applied(frequencyPenalty({ presence: 1, frequency: 0.5 }), [5], [2, 2, 4], [0, 0, 0, 0, 0, 0])).toEqual([0, 0, -2, 0, -1.5, 0])
  })

  test('no-repeat 2-gram forbids what followed the last token before', () => {
    expect(applied(noRepeatNgram(2), [1, 2, 1, 3], [1], [0, 0, 0, 0, 0, 0])).toEqual([0, 0, NONE, NONE, 0, 0])
  })

  test('no-repeat 1-gram forbids every token that has occurred, and a longer n-gram nothing at first', () => {
    expect(applied(noRepeatNgram(1), [1], [4], [0, 0, 0, 0, 0, 0])).toEqual([0, NONE, 0, 0, NONE, 0])
    expect(applied(noRepeatNgram(3), [1], [], [0, 0, 0, 0, 0, 0])).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('a bad word of one token is always forbidden, of several only after its beginning', () => {
    const processor = badWords([[3], [1, 2, 4]])
    expect(applied(processor, [1], [], [0, 0, 0, 0, 0, 0])).toEqual([0, 0, 0, NONE, 0, 0])
    expect(applied(processor, [1], [2], [0, 0, 0, 0, 0, 0])).toEqual([0, 0, 0, NONE, NONE, 0])
  })

  test('a bias is added, and -Infinity forbids', () => {
    expect(
      applied(
        logitBias(
          new Map([
            [1, 2.5],
            [2, NONE],
          ]),
        ),
        [0],
        [],
        [1, 1, 1, 1, 1, 1],
      ),
    ).toEqual([1, 3.5, NONE, 1, 1, 1])
  })

  test('stop tokens are forbidden until the minimum of new tokens', () => {
    const processor = minimumLength(2, [5])
    expect(applied(processor, [0, 0, 0], [1], [0, 0, 0, 0, 0, 0])[5]).toBe(NONE)
    expect(applied(processor, [0, 0, 0], [1, 1], [0, 0, 0, 0, 0, 0])[5]).toBe(0)
  })
})

const token = fc.nat(VOCAB - 1)
const tokens = fc.array(token, { maxLength: 14 })
const scoresOf = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: VOCAB, maxLength: VOCAB })
const WORDS = [[0], [1, 2], [2, 1, 2], [3, 3]]

describe('against slow second implementations', () => {
  test.each<[string, LogitsProcessor, (s: number[], p: number[], o: number[]) => number[]]>([
    ['repetition penalty', repetitionPenalty(1.3), (s, p, o) => slowRepetition(s, p, o, 1.3)],
    ['frequency penalty', frequencyPenalty({ presence: 0.5, frequency: 0.25 }), (s, _p, o) => slowFrequency(s, o, 0.5, 0.25)],
    ['no-repeat 1-gram', noRepeatNgram(1), (s, p, o) => slowNoRepeatNgram(s, p, o, 1)],
    ['no-repeat 3-gram', noRepeatNgram(3), (s, p, o) => slowNoRepeatNgram(s, p, o, 3)],
    ['bad words', badWords(WORDS), (s, p, o) => slowBadWords(s, p, o, WORDS)],
    ['minimum length', minimumLength(4, [1, 5]), (s, _p, o) => slowMinimumLength(s, o, 4, [1, 5])],
  ])('%s is the same', (_, processor, slow) => {
    fc.assert(
      fc.property(tokens, tokens, scoresOf, (prompt, output, scores) => {
        expect(applied(processor, prompt, output, scores)).toEqual(asFloat32(slow(scores, prompt, output)))
      }),
      { seed: 20 },
    )
  })
})

test('pushes, pops and forks leave every processor where a fresh one would be', () => {
  const all = processorChain([
    logitBias(new Map([[2, 1.5]])),
    repetitionPenalty(1.5),
    frequencyPenalty({ presence: 0.25, frequency: 0.5 }),
    noRepeatNgram(3),
    badWords(WORDS),
    minimumLength(3, [4]),
    prefixProcessor('not the last token', (logits, prefix) => {
      logits[prefix.tokens.at(-1) ?? 0] = NONE
    }),
  ])
  const scores = [3, -2, 1, 0.5, -1, 2]
  fc.assert(
    fc.property(
      fc.array(token, { minLength: 1, maxLength: 6 }),
      fc.array(fc.option(token, { freq: 2 }), { maxLength: 30 }),
      (prompt, moves) => {
        let state = all.follow(Int32Array.from(prompt))
        const output: number[] = []
        for (const move of moves) {
          if (move !== null) {
            // The fork goes another way: what it is told does not reach the original.
            const fork = state.fork()
            state.push(move)
            fork.push((move + 1) % VOCAB)
            output.push(move)
          } else if (output.length > 0) {
            state.pop()
            output.pop()
          } else {
            const fork = state.fork()
            state.push(1)
            state = fork
          }
          const row = Float32Array.from(scores)
          state.apply(row)
          expect(Array.from(row)).toEqual(applied(all, prompt, output, scores))
        }
      },
    ),
    { seed: 21 },
  )
})

test('a chain applies its processors in order', () => {
  const double = prefixProcessor('double', (logits) => {
    logits[0] = (logits[0] ?? 0) * 2
  })
  const plusOne = logitBias(new Map([[0, 1]]))
  expect(applied(processorChain([plusOne, double]), [0], [], [3])).toEqual([8])
  expect(applied(processorChain([double, plusOne]), [0], [], [3])).toEqual([7])
})

test.each([
  ['repetition penalty 0', () => repetitionPenalty(0)],
  ['repetition penalty NaN', () => repetitionPenalty(Number.NaN)],
  ['presence penalty NaN', () => frequencyPenalty({ presence: Number.NaN })],
  ['frequency penalty Infinity', () => frequencyPenalty({ frequency: Number.POSITIVE_INFINITY })],
  ['a 0-gram', () => noRepeatNgram(0)],
  ['an empty bad word', () => badWords([[]])],
  ['a bias of NaN', () => logitBias(new Map([[1, Number.NaN]]))],
  ['a bias of +Infinity', () => logitBias(new Map([[1, Number.POSITIVE_INFINITY]]))],
])('%s is refused', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'argument' }))
})
