// readme:start
import { argmax, fillGumbel, logSoftmax, tensor, topK } from '@foretoken/tensor'

// Logits of two tokens over a vocabulary of four: plain data, kept and not copied.
const logits = tensor('float32', [2, 4], Float32Array.of(1, 3, 2, 0, 0, 0, 5, 5))
const [steps = 0, vocab = 0] = logits.dims
const last = logits.data.subarray((steps - 1) * vocab) // a row is a view

const best = topK(last, 2) // values [5, 5], indices [2, 3]: the lowest index first among equals

// A sample: log-probabilities plus Gumbel noise that belongs to (seed, sequence, position), wherever and whenever it is drawn.
const noise = fillGumbel(42, 0, 17, new Float32Array(vocab))
const token = argmax(logSoftmax(last).map((logProbability, id) => logProbability + (noise[id] ?? 0)))

// readme:end
import { expect, test } from 'vitest'

test('the snippet of the README finds the best tokens and draws one', () => {
  expect(best).toEqual({ values: Float32Array.of(5, 5), indices: Int32Array.of(2, 3) })
  // the normaliser is the same for all, so the largest score plus noise wins
  const scores = Array.from(last, (score, id) => score + (noise[id] ?? 0))
  expect(token).toBe(scores.indexOf(Math.max(...scores)))
})
