import { createKvCache } from '@foretoken/kv-cache'
import { expect, test } from 'vitest'
import { type CausalLM, type DecodeStep, measureQuality, type StepResult } from '../src/index.ts'

/** After each token the same logits, by token: [vocab][vocab]. */
function tableModel(table: readonly (readonly number[])[], mostRows = 256): CausalLM {
  const vocab = table.length
  return {
    config: { modelType: 'table', layers: 1, hidden: 1, heads: 1, kvHeads: 1, headDim: 1, vocab, maxPositions: 8, tiedEmbeddings: true },
    capabilities: { treeVisibility: true, embeddingsInput: true, hiddenStates: true, attentionScores: true, topK: true },
    plan: { runtime: 'none', provider: 'none', threads: 1, formats: {}, exact: true, notes: [] },
    generationDefaults: { endOfText: [] },
    createCache: () => createKvCache([{ kvHeads: 1, keyDim: 1, valueDim: 1 }]),
    forward({ tokens, cache }: DecodeStep): Promise<StepResult> {
      const steps = tokens.length
      const data = Float32Array.from([...tokens].flatMap((token) => table[token] ?? []))
      const rows = {
        steps,
        positions: Int32Array.from({ length: steps }, (_, row) => cache.length + row),
        past: cache.length,
        layers: [{ keys: new Float32Array(steps), values: new Float32Array(steps) }],
      }
      return Promise.resolve({
        logits: { type: 'float32', dims: [steps, vocab], data, location: 'cpu', size: data.length },
        rows,
        elapsedMs: 0,
      })
    },
    forwardBatch: () => Promise.resolve([]),
    maxSteps: () => mostRows,
    memory: () => ({ weightsBytes: 0, graphBytes: 0, cacheBytes: 0 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

const LN = Math.log
// after 0: 1/2, 1/4, 1/4 against 1/4, 1/2, 1/4; after 1 and 2 both are uniform. Logits are shifted, which changes no probability
const WANTED = tableModel([
  [LN(2) + 3, 3, 3],
  [1, 1, 1],
  [0, 0, 0],
])
const OWN = [
  [0, LN(2), 0],
  [0, 0, 0],
  [-5, -5, -5],
]
// predictions: 0 -> 1, 1 -> 0, 0 -> 0
const TOKENS = Int32Array.of(0, 1, 0, 0)

test.each([1, 2, 64])('likelihood, agreement and divergence are those of the formulas, in chunks of %d', async (rows) => {
  const found = await measureQuality(tableModel(OWN, 2), WANTED, TOKENS, { rows })
  const negativeLogLikelihood = -(LN(1 / 2) + LN(1 / 3) + LN(1 / 4)) / 3
  // KL((1/2, 1/4, 1/4) || (1/4, 1/2, 1/4)) = 1/2 ln 2 - 1/4 ln 2, at two of three positions
  const divergence = (2 * (LN(2) / 4)) / 3
  expect(found.predictions).toBe(3)
  expect(found.negativeLogLikelihood).toBeCloseTo(negativeLogLikelihood, 6)
  expect(found.perplexity).toBeCloseTo(Math.exp(negativeLogLikelihood), 6)
  expect(found.referencePerplexity).toBeCloseTo(Math.exp(-(LN(1 / 4) + LN(1 / 3) + LN(1 / 2)) / 3), 6)
  expect(found.argmaxAgreement).toBeCloseTo(1 / 3)
  expect(found.meanDivergence).toBeCloseTo(divergence, 6)
})

test('a model diverges from itself by nothing', async () => {
  expect(await measureQuality(WANTED, WANTED, TOKENS)).toMatchObject({ argmaxAgreement: 1, meanDivergence: 0 })
})

test.each([
  ['one token', tableModel(OWN), Int32Array.of(1), 'tokens: found 1, expected 2 to 8'],
  ['more tokens than positions', tableModel(OWN), new Int32Array(9), 'tokens: found 9, expected 2 to 8'],
  ['another vocabulary', tableModel([[0]]), TOKENS, 'vocabulary of the reference: found 3, expected 1'],
])('%s is refused', async (_, lm, tokens, reason) => {
  await expect(measureQuality(lm, WANTED, tokens)).rejects.toThrow(reason)
})
