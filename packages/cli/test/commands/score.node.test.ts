import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeToFloat32, openWeights } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.ts'
import { LLAMA, tinyCheckpoint } from '../tiny-checkpoint.ts'

/** What transformers computed: [24] ids and [24, 256] logits of the first sequence. */
async function expected(): Promise<{ ids: number[]; logits: Float32Array[] }> {
  const { inputIds } = JSON.parse(await readFile(join(LLAMA, 'expected.json'), 'utf8'))
  await using store = await openWeights(join(LLAMA, 'expected.safetensors'))
  const all = decodeToFloat32(await store.read('logits'))
  return { ids: inputIds[0], logits: inputIds[0].map((_: number, row: number) => all.subarray(row * 256, (row + 1) * 256)) }
}

function logSoftmax(row: Float32Array, id: number): number {
  const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0)
  return (row[id] ?? Number.NaN) - Math.log(total)
}

test('--json gives for each position the log-probability of the next token, and ids and logits of the best ten', async () => {
  await using model = await tinyCheckpoint()
  const { ids, logits } = await expected()
  const args = ['score', '--model', model.path, '--cache', model.cache, '--format', 'f32', '--tokens', ids.join(' '), '--json']
  const { status, out, err } = await runCommand(args)
  expect({ status, err }).toEqual({ status: 0, err: '' })
  const record = JSON.parse(out)
  expect(record.tokens).toEqual(ids)
  expect(record.logProbabilities).toHaveLength(23)
  expect(record.positions).toHaveLength(24)
  for (const [position, row] of logits.entries()) {
    const { token, nextToken, logProbability, top } = record.positions[position]
    expect(token).toBe(ids[position])
    const next = ids[position + 1]
    expect(nextToken).toBe(next ?? null)
    if (next === undefined) expect(logProbability).toBeNull()
    else {
      expect(logProbability).toBeCloseTo(logSoftmax(row, next), 4)
      expect(record.logProbabilities[position]).toBe(logProbability)
    }
    const best = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0)).slice(0, 10)
    expect(top.map(({ id }: { id: number }) => id)).toEqual(best)
    for (const [rank, id] of best.entries()) expect(Math.abs(top[rank].logit - (row[id] ?? Number.NaN))).toBeLessThan(1e-4)
  }
  const mean = record.logProbabilities.reduce((sum: number, each: number) => sum - each, 0) / 23
  expect(record.negativeLogLikelihood).toBeCloseTo(mean, 10)
  expect(record.perplexity).toBeCloseTo(Math.exp(mean), 6)
})

test('a single token predicts nothing, and the JSON has null where there is no number', async () => {
  await using model = await tinyCheckpoint()
  const { out } = await runCommand(['score', '--model', model.path, '--cache', model.cache, '--tokens', '5', '--json', '--top', '0'])
  expect(JSON.parse(out)).toEqual({
    tokens: [5],
    logProbabilities: [],
    negativeLogLikelihood: null,
    perplexity: null,
    positions: [{ position: 0, token: 5, nextToken: null, logProbability: null, top: [] }],
  })
})

test('the table names tokens by their text, and ends with the perplexity', async () => {
  await using model = await tinyCheckpoint()
  const { status, out } = await runCommand(['score', '--model', model.path, '--cache', model.cache, 'a\tb'])
  expect(status).toBe(0)
  const lines = out.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^position +token +next, log-probability +best$/)
  expect(lines[1]).toMatch(/^0 +"a" +"\\t" -\d+\.\d{3} +".*/)
  expect(lines[3]).toMatch(/^2 +"b" +".*/)
  expect(lines[4]).toMatch(/^perplexity \d+\.\d{4} \(\d\.\d{5} nats per token\)$/)
})

test.each([
  [[], 'found none'],
  [['a', '--text', 'b'], 'found [text] and --text'],
  [['--tokens', '1 x'], 'found "x"'],
  [['--tokens', '-1'], 'found "-1"'],
  [['--tokens', '1.5'], 'found "1.5"'],
  [['--tokens', ' '], 'at least one token id'],
  [['--tokens', '1', '--top', '-1'], 'whole number from 0'],
  [['--tokens', '1', '--format', 'int3'], 'one of auto, f32'],
  [['--tokens', '1', '--threads', '0'], 'whole number from 1'],
])('%j is refused as a wrong command line before a model is opened', async (args, reason) => {
  const { status, out, err } = await runCommand(['score', '--model', '/nowhere', ...args])
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(err).toContain(reason)
})

test('an id outside of the vocabulary is an error that names it', async () => {
  await using model = await tinyCheckpoint()
  const { status, out, err } = await runCommand(['score', '--model', model.path, '--cache', model.cache, '--tokens', '1 256', '--json'])
  expect({ status, out }).toEqual({ status: 1, out: '' })
  expect(err).toBe('error: tokens[1]: found 256, expected a token id from 0 to 255\n')
})
