/** Draws whose ids have to be the same in every engine: `fixtures/sampled-ids.json` holds those of V8 in Node, as `fixtures/make-sampled-ids.ts` wrote them. */
import { createSampler, type Sampling } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'

export const SETTINGS: readonly Sampling[] = [
  { kind: 'greedy' },
  { kind: 'sample', seed: 1 },
  { kind: 'sample', seed: 2, temperature: 0.7 },
  { kind: 'sample', seed: 3, temperature: 1.7, topK: 40 },
  { kind: 'sample', seed: 4, temperature: 0.9, topP: 0.9 },
  { kind: 'sample', seed: 5, minP: 0.05 },
  { kind: 'sample', seed: 6, typicalP: 0.6 },
  { kind: 'sample', seed: 7, temperature: 1.1, topK: 100, topP: 0.8, minP: 0.02, typicalP: 0.95 },
  { kind: 'sample', seed: 2 ** 52 + 1, temperature: 0.2, topP: 0.5 },
]

const VOCAB = 3000
const ROWS = 12
const DRAWS_PER_ROW = 25

/** Logits of a peaked row, made by divisions and multiplications alone. */
function rowOfLogits(row: number): Float32Array {
  const stream = randomStream({ seed: 20261124, sequence: row })
  return Float32Array.from({ length: VOCAB }, (_, token) => {
    const u = stream.uniform(token)
    return 14 * u * u * u - 3
  })
}

/** [rows * draws] */
export function sampledIds(sampling: Sampling): number[] {
  const sampler = createSampler(sampling, VOCAB)
  const ids: number[] = []
  for (let row = 0; row < ROWS; row++) {
    const logits = rowOfLogits(row)
    for (let position = 0; position < DRAWS_PER_ROW; position++) ids.push(sampler.choose(logits, row, position))
  }
  return ids
}
