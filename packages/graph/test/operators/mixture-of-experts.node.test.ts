import { type ExpertWeights, Graph, mixtureOfExperts, type Value } from '@foretoken/graph'
import { expect, test } from 'vitest'
import { at, checkOperator, floats, plain, toPlain } from './check-operator.ts'

const [ROWS, HIDDEN, INNER, EXPERTS, K] = [5, 4, 6, 7, 2]
const silu = (x: number) => x / (1 + Math.exp(-x))

test.each([
  { activation: 'swiglu', normalizeChosen: true },
  { activation: 'swiglu', normalizeChosen: false },
  { activation: 'silu', normalizeChosen: true },
  { activation: 'relu', normalizeChosen: true },
] as const)('each row goes through its best experts: %o', async ({ activation, normalizeChosen }) => {
  const isGated = activation === 'swiglu'
  const width = isGated ? 2 * INNER : INNER
  const x = floats([ROWS, HIDDEN])
  const scores = floats([ROWS, EXPERTS], 2)
  const into = floats([EXPERTS, width, HIDDEN], 4)
  const intoBias = floats([EXPERTS, width], 5)
  const outOf = floats([EXPERTS, HIDDEN, INNER], 6)
  const outOfBias = floats([EXPERTS, HIDDEN], 7)
  const before = (row: number, expert: number, place: number) => {
    let sum = at(toPlain(intoBias), [expert, place])
    for (let h = 0; h < HIDDEN; h++) sum += at(toPlain(into), [expert, place, h]) * at(toPlain(x), [row, h])
    return sum
  }
  const active = (row: number, expert: number, place: number) => {
    if (isGated) return silu(before(row, expert, 2 * place)) * before(row, expert, 2 * place + 1)
    return activation === 'relu' ? Math.max(0, before(row, expert, place)) : silu(before(row, expert, place))
  }
  const expected = plain([ROWS, HIDDEN], ([row = 0, h = 0]) => {
    const all = Array.from({ length: EXPERTS }, (_, expert) => expert)
    const chosen = [...all].sort((a, b) => at(toPlain(scores), [row, b]) - at(toPlain(scores), [row, a])).slice(0, K)
    const total = (normalizeChosen ? chosen : all).reduce((sum, expert) => sum + Math.exp(at(toPlain(scores), [row, expert])), 0)
    return chosen.reduce((sum, expert) => {
      let result = at(toPlain(outOfBias), [expert, h])
      for (let place = 0; place < INNER; place++) result += at(toPlain(outOf), [expert, h, place]) * active(row, expert, place)
      return sum + (Math.exp(at(toPlain(scores), [row, expert])) / total) * result
    }, 0)
  })
  await checkOperator({
    inputs: { x, scores, into, intoBias, outOf, outOfBias },
    constants: ['into', 'intoBias', 'outOf', 'outOfBias'],
    fixed: ['x', 'scores'],
    build: (value) => mixtureOfExperts(value('x'), value('scores'), weightsOf(value), { k: K, activation, normalizeChosen }),
    expected: [expected],
  })
})

function weightsOf(value: (name: string) => Value): ExpertWeights {
  return { into: value('into'), outOf: value('outOf'), intoBias: value('intoBias'), outOfBias: value('outOfBias') }
}

test('more experts per row than there are, and weights of another width, are refused by name', () => {
  const graph = new Graph({ name: 'wrong' })
  const x = graph.input('x', 'float32', ['rows', 4])
  const scores = graph.input('scores', 'float32', ['rows', 3])
  const outOf = graph.input('out', 'float32', [3, 4, 6])
  const into = graph.input('into', 'float32', [3, 12, 4])
  expect(mixtureOfExperts(x, scores, { into, outOf }, { k: 3 }).dims).toEqual(['rows', 4])
  expect(() => mixtureOfExperts(x, scores, { into, outOf }, { k: 4 })).toThrow(/MoE .*k = 4 .*expected 1 to 3/)
  expect(() => mixtureOfExperts(x, scores, { into, outOf }, { k: 2, activation: 'relu' })).toThrow(
    /MoE .*into = into: float32 \[3, 12, 4\].*into to be \[3, 6, 4\]/,
  )
})
