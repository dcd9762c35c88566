import * as graph from '@foretoken/graph'
import { Graph } from '@foretoken/graph'
import { describe, expect, test } from 'vitest'
import { at, checkOperator, floats, type Plain, plain, toPlain } from './check-operator.ts'

const HEAD_DIM = 16

/** cos and sin [positions, width] of `position / 10000^(i / width)`. */
function tables(positions: number, width: number): { cosines: Plain; sines: Plain } {
  const angle = ([p = 0, i = 0]: readonly number[]) => p * 10_000 ** (-i / width)
  return {
    cosines: plain([positions, width], (index) => Math.cos(angle(index))),
    sines: plain([positions, width], (index) => Math.sin(angle(index))),
  }
}

/** Turns element `d` of a head: pairs are (d, d + half), or neighbours when interleaved. */
function turned(head: (d: number) => number, d: number, position: number, half: number, interleaved: boolean): number {
  if (d >= 2 * half) return head(d)
  const pair = interleaved ? d >> 1 : d % half
  const isFirst = interleaved ? d % 2 === 0 : d < half
  const other = interleaved ? (isFirst ? d + 1 : d - 1) : isFirst ? d + half : d - half
  const angle = position * 10_000 ** (-pair / half)
  return head(d) * Math.cos(angle) + (isFirst ? -1 : 1) * head(other) * Math.sin(angle)
}

describe('rotaryEmbedding', () => {
  const positions = { type: 'int64', dims: [2, 3], values: [0, 1, 2, 7, 3, 9] } as const

  test.each([
    { interleaved: false, half: 8 },
    { interleaved: true, half: 8 },
    { interleaved: false, half: 4 },
  ])('$interleaved pairs, $half of them, of rows of heads', async ({ interleaved, half }) => {
    const x = floats([2, 3, 5 * HEAD_DIM])
    const { cosines, sines } = tables(10, half)
    const expected = plain(x.dims, ([b = 0, s = 0, column = 0]) => {
      const head = Math.floor(column / HEAD_DIM) * HEAD_DIM
      return turned((d) => at(toPlain(x), [b, s, head + d]), column % HEAD_DIM, at(toPlain(positions), [b, s]), half, interleaved)
    })
    const part = half * 2 < HEAD_DIM ? { rotaryDim: half * 2 } : {}
    await checkOperator({
      inputs: { x, positions, cosines: { type: 'float32', ...cosines }, sines: { type: 'float32', ...sines } },
      fixed: ['cosines', 'sines'],
      build: (value) =>
        graph.rotaryEmbedding(value('x'), value('positions'), value('cosines'), value('sines'), { heads: 5, interleaved, ...part }),
      expected: [expected],
    })
  })

  test('heads before steps, and the position of the first step only', async () => {
    const x = floats([2, 5, 3, HEAD_DIM])
    const { cosines, sines } = tables(10, 8)
    const expected = plain(x.dims, ([b = 0, h = 0, s = 0, d = 0]) => turned((e) => at(toPlain(x), [b, h, s, e]), d, 4 + s, 8, false))
    await checkOperator({
      inputs: {
        x,
        first: { type: 'int64', dims: [1], values: [4] },
        cosines: { type: 'float32', ...cosines },
        sines: { type: 'float32', ...sines },
      },
      fixed: ['cosines', 'sines'],
      build: (value) => graph.rotaryEmbedding(value('x'), value('first'), value('cosines'), value('sines')),
      expected: [expected],
    })
  })

  test('tables of another width are refused by name', () => {
    const g = new Graph({ name: 'wrong' })
    const x = g.input('queries', 'float32', [1, 'steps', 64])
    const places = g.input('positions', 'int64', [1, 'steps'])
    const table = g.input('cosines', 'float32', [16, 3])
    expect(() => graph.rotaryEmbedding(x, places, table, table)).toThrow(
      /RotaryEmbedding .*queries: float32 \[1, steps, 64\].*tables of width/,
    )
  })
})

/** Plain attention of one head. */
function attend(
  query: (d: number) => number,
  count: number,
  key: (t: number, d: number) => number,
  value: (t: number) => number,
  score: (t: number) => number,
  scale: number,
): number {
  const scores = Array.from(
    { length: count },
    (_, t) => Array.from({ length: HEAD_DIM }, (_, d) => query(d) * key(t, d)).reduce((sum, part) => sum + part, 0) * scale + score(t),
  )
  const weights = scores.map((one) => Math.exp(one - Math.max(...scores)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.reduce((sum, weight, t) => sum + (weight / total) * value(t), 0)
}

test.each([{ isCausal: false }, { isCausal: true }])('multiHeadAttention %o', async ({ isCausal }) => {
  const query = floats([2, 5, 3 * HEAD_DIM], 1, 0.5)
  const key = floats([2, 5, 3 * HEAD_DIM], 4, 0.5)
  const value = floats([2, 5, 3 * HEAD_DIM], 6)
  const bias = floats([1, 3, 5, 5], 8)
  const expected = plain(query.dims, ([b = 0, s = 0, column = 0]) => {
    const head = Math.floor(column / HEAD_DIM)
    return attend(
      (d) => at(toPlain(query), [b, s, head * HEAD_DIM + d]),
      isCausal ? s + 1 : 5,
      (t, d) => at(toPlain(key), [b, t, head * HEAD_DIM + d]),
      (t) => at(toPlain(value), [b, t, column]),
      (t) => at(toPlain(bias), [0, head, s, t]),
      0.25,
    )
  })
  await checkOperator({
    inputs: { query, key, value, bias },
    build: (input) =>
      graph.multiHeadAttention(input('query'), input('key'), input('value'), { heads: 3, scale: 0.25, isCausal, bias: input('bias') }),
    expected: [expected],
  })
})

test('groupQueryAttention attends to the cache, appends to it, and turns by the tables', async () => {
  const [heads, kvHeads, steps, past] = [4, 2, 3, 2]
  const query = floats([1, steps, heads * HEAD_DIM], 1, 0.5)
  const key = floats([1, steps, kvHeads * HEAD_DIM], 4, 0.5)
  const value = floats([1, steps, kvHeads * HEAD_DIM], 6)
  const pastKey = floats([1, kvHeads, past, HEAD_DIM], 8, 0.5)
  const pastValue = floats([1, kvHeads, past, HEAD_DIM], 9)
  const { cosines, sines } = tables(16, HEAD_DIM / 2)
  const presentKey = plain([1, kvHeads, past + steps, HEAD_DIM], ([b = 0, h = 0, t = 0, d = 0]) =>
    t < past
      ? at(toPlain(pastKey), [b, h, t, d])
      : turned((e) => at(toPlain(key), [b, t - past, h * HEAD_DIM + e]), d, t, HEAD_DIM / 2, false),
  )
  const presentValue = plain([1, kvHeads, past + steps, HEAD_DIM], ([b = 0, h = 0, t = 0, d = 0]) =>
    t < past ? at(toPlain(pastValue), [b, h, t, d]) : at(toPlain(value), [b, t - past, h * HEAD_DIM + d]),
  )
  const expected = plain(query.dims, ([b = 0, s = 0, column = 0]) => {
    const head = Math.floor(column / HEAD_DIM)
    const group = Math.floor(head / (heads / kvHeads))
    return attend(
      (d) => turned((e) => at(toPlain(query), [b, s, head * HEAD_DIM + e]), d, past + s, HEAD_DIM / 2, false),
      past + s + 1,
      (t, d) => at(presentKey, [b, group, t, d]),
      (t) => at(presentValue, [b, group, t, column % HEAD_DIM]),
      () => 0,
      1 / Math.sqrt(HEAD_DIM),
    )
  })
  await checkOperator({
    inputs: {
      query,
      key,
      value,
      pastKey,
      pastValue,
      lastPositions: { type: 'int32', dims: [1], values: [past + steps - 1] },
      totalLength: { type: 'int32', dims: [], values: [past + steps] },
      cosines: { type: 'float32', ...cosines },
      sines: { type: 'float32', ...sines },
    },
    fixed: ['query', 'key', 'value', 'pastKey', 'pastValue', 'cosines', 'sines'],
    build: (input) =>
      graph.groupQueryAttention(
        {
          query: input('query'),
          key: input('key'),
          value: input('value'),
          pastKey: input('pastKey'),
          pastValue: input('pastValue'),
          lastPositions: input('lastPositions'),
          totalLength: input('totalLength'),
          cosines: input('cosines'),
          sines: input('sines'),
        },
        { heads, kvHeads },
      ),
    expected: [expected, presentKey, presentValue],
  })
})

test('a cache of symbolic length grows by the steps', () => {
  const g = new Graph({ name: 'cache' })
  const query = g.input('query', 'float32', [1, 'steps', 32])
  const key = g.input('key', 'float32', [1, 'steps', 16])
  const past = g.input('past', 'float32', [1, 2, 'past', 8])
  const last = g.input('last', 'int32', [1])
  const total = g.input('total', 'int32', [])
  const table = g.input('table', 'float32', [9, 4])
  const inputs = { query, key, value: key, pastKey: past, pastValue: past, lastPositions: last, totalLength: total }
  expect(graph.groupQueryAttention(inputs, { heads: 4, kvHeads: 2 })[1].dims).toEqual([1, 2, 'past+steps', 8])
  expect(() => graph.groupQueryAttention({ ...inputs, cosines: table, sines: table }, { heads: 4, kvHeads: 2 })).toThrow('a multiple of 16')
  expect(() => graph.groupQueryAttention({ ...inputs, key: query }, { heads: 4, kvHeads: 2 })).toThrow(
    /GroupQueryAttention .*key to be \[1, steps, 16\]/,
  )
})
