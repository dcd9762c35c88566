/**
 * Host work per token at a vocabulary of 49,152: from the logits of a step to the piece. Prints the best and the median of many
 * tokens per way of choosing, in milliseconds, and the median's share of a step of 9 ms.
 * Run: node --conditions=foretoken-source packages/generation/test/benchmarks/host-work.ts
 */
import { type GenerationOptions, generate } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'
import { fakeModel } from '../fakes/fake-model.ts'

const VOCAB = 49_152
const STEP_MS = 9
const TOKENS = 300

// Rows shaped like a language model's: a few good tokens above a wide field. Made before, so that the model costs nothing.
const rows = Array.from({ length: 8 }, (_, seed) => {
  const noise = randomStream({ seed }).fillGumbel(new Float32Array(VOCAB))
  return noise.map((x, token) => 1.5 * x + (token % 977 === seed ? 12 : 0))
})

const WAYS: readonly [string, GenerationOptions][] = [
  ['greedy', {}],
  ['greedy, penalties and no-repeat 3-gram', { repetitionPenalty: 1.1, frequencyPenalty: 0.1, noRepeatNgram: 3 }],
  ['sample, top-k 50', { sampling: { kind: 'sample', topK: 50 } }],
  ['sample, top-k 50, top-p 0.9', { sampling: { kind: 'sample', topK: 50, topP: 0.9 } }],
  ['sample, top-p 0.9', { sampling: { kind: 'sample', topP: 0.9 } }],
  ['sample, min-p 0.05', { sampling: { kind: 'sample', minP: 0.05 } }],
  ['sample, typical 0.9', { sampling: { kind: 'sample', typicalP: 0.9 } }],
  ['sample, no truncation', { sampling: { kind: 'sample' } }],
]

for (const [name, options] of WAYS) {
  const times: number[] = []
  let given = 0
  const lm = fakeModel({ vocab: VOCAB, logits: () => [], row: (position) => rows[position % rows.length] ?? new Float32Array(VOCAB) })
  const forward = lm.forward
  lm.forward = async (step) => {
    const result = await forward(step)
    given = performance.now()
    return result
  }
  for await (const _ of generate(lm, { tokens: [1], maxNewTokens: TOKENS, ...options })) times.push(performance.now() - given)
  const sorted = times.sort((a, b) => a - b)
  const [best = 0, median = 0] = [sorted[0], sorted[sorted.length >> 1]]
  const share = ((100 * median) / STEP_MS).toFixed(1)
  process.stdout.write(`${name.padEnd(42)} best ${best.toFixed(3)} ms, median ${median.toFixed(3)} ms, ${share} % of a step\n`)
}
