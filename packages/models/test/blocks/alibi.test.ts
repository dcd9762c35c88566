import { describe, expect, test } from 'vitest'
import { alibi, alibiOfBfloat16, alibiSlopes } from '../../src/blocks/alibi.ts'
import { type CausalLM, loadCausalLM } from '../../src/index.ts'
import { checkpointFixture, largestDifference } from '../checkpoint-fixture.ts'
import { fixtureText } from '../fixture-bytes.ts'

interface Reference {
  readonly positions: readonly number[]
  /** Slopes by number of heads. */
  readonly bloom: Readonly<Record<string, readonly number[]>>
  /** Biases [head][position] before the scale; of 71 heads every tenth. */
  readonly falcon: Readonly<Record<string, readonly (readonly number[])[]>>
  /** Slopes by number of heads and largest bias. */
  readonly mpt: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
}
const reference: Reference = JSON.parse(await fixtureText('alibi.json'))

describe('slopes', () => {
  test.each(Object.entries(reference.bloom))('of %s heads are those of Bloom', (heads, slopes) => {
    expect(largestDifference(alibiSlopes(Number(heads)), slopes)).toBeLessThan(1e-7)
  })

  test.each(Object.entries(reference.mpt))('of %s heads are those of MPT for each largest bias', (heads, byBias) => {
    for (const [largest, slopes] of Object.entries(byBias)) {
      expect(largestDifference(alibiSlopes(Number(heads), Number(largest)), slopes)).toBeLessThan(1e-7)
    }
  })

  test.each(Object.entries(reference.falcon))(
    'of %s heads in bfloat16 are those of Falcon at every position, scaled with the scores',
    (heads, biases) => {
      const { keyBias } = alibiOfBfloat16(Number(heads), 0.25)
      const step = Number(heads) > biases.length ? 10 : 1
      for (const [index, row] of biases.entries()) {
        expect(reference.positions.map((position) => keyBias(index * step, position))).toEqual(row.map((bias) => bias * 0.25))
      }
    },
  )

  test('the bias falls by the slope for each position, exactly', () => {
    const { keyBias } = alibi(8)
    expect(keyBias(0, 100_001) - keyBias(0, 100_000)).toBe(0.5)
    expect(keyBias(7, 100_001) - keyBias(7, 100_000)).toBe(1 / 256)
  })
})

const text = (length: number) => Int32Array.from({ length }, (_, at) => (at * 37 + (at >> 3)) % 240)

async function prefilled(lm: CausalLM, length: number) {
  const cache = lm.createCache()
  while (cache.length < length) {
    const rows = Math.min(lm.maxSteps(cache), length - cache.length)
    cache.append((await lm.forward({ tokens: text(length).slice(cache.length, cache.length + rows), cache, want: {} })).rows)
  }
  return cache
}

/** One row after `length` rows of which [from, to) are gone, against one step in which that row does not see them. */
async function differenceWithoutRows(lm: CausalLM, length: number, from: number, to: number): Promise<number> {
  const token = Int32Array.of(11)
  await using thinned = await prefilled(lm, length)
  await using start = thinned.fork()
  thinned.gather(Array.from({ length }, (_, row) => row).filter((row) => row < from || row >= to))
  const found = await lm.forward({ tokens: token, positions: Int32Array.of(length), cache: thinned, want: { logits: 'last' } })

  start.truncate(from)
  const steps = length - from + 1
  const visible = Uint8Array.from({ length: steps * steps }, (_, at) => {
    const row = Math.floor(at / steps)
    const other = at % steps
    return other <= row && (row < steps - 1 || other >= to - from) ? 1 : 0
  })
  const tokens = Int32Array.of(...text(length).slice(from), ...token)
  const expected = await lm.forward({ tokens, cache: start, visibility: { kind: 'dense', visible }, want: { logits: 'last' } })
  return largestDifference(found.logits?.data ?? [], expected.logits?.data ?? [])
}

test.each(['bloom', 'bloom-heads-6', 'mpt', 'falcon-alibi'])(
  'distances of %s are those of the text where the cache has lost rows',
  async (name) => {
    await using lm = await loadCausalLM(await (await checkpointFixture(name)).open(), { format: 'f32', selfTest: false })
    expect(await differenceWithoutRows(lm, 40, 4, 20)).toBeLessThan(1e-5)
    // 210 and 290 rows stay: before and beyond the first cut of the cache
    expect(await differenceWithoutRows(lm, 300, 10, 100)).toBeLessThan(1e-5)
    expect(await differenceWithoutRows(lm, 300, 60, 70)).toBeLessThan(1e-5)
  },
)

test('a model with ALiBi goes on beyond the length it was trained with', async () => {
  await using lm = await loadCausalLM(await (await checkpointFixture('mpt')).open(), { format: 'f32', selfTest: false })
  expect(lm.config.maxPositions).toBe(96)
  await using cache = await prefilled(lm, 300)
  const { logits } = await lm.forward({ tokens: Int32Array.of(7), cache, want: { logits: 'last' } })
  expect(logits?.data.every(Number.isFinite)).toBe(true)
})
