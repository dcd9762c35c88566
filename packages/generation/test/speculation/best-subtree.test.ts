import { randomStream } from '@foretoken/tensor'
import { expect, test } from 'vitest'
import { bestSubtree } from '../../src/speculation/best-subtree.ts'

test('the chosen subtree is the best of all that are closed under parents (brute force over random trees)', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomStream({ seed })
    const nodes = 1 + random.below(9, 0)
    const parents: number[] = []
    const values: number[] = []
    for (let node = 0; node < nodes; node++) {
      const parent = random.below(node + 1, 100 + node) - 1
      parents.push(parent)
      values.push((values[parent] ?? 1) * random.uniform(200 + node))
    }
    const times = Array.from({ length: nodes + 1 }, (_, i) => 10 + 2 * i + 5 * random.uniform(300 + i))
    const stepMs = (rows: number) => times[rows - 1] ?? 0
    let best = 1
    for (let set = 0; set < 2 ** nodes; set++) {
      const members = [...parents.keys()].filter((node) => (set >> node) & 1)
      if (members.some((node) => (parents[node] ?? -1) >= 0 && !members.includes(parents[node] ?? -1))) continue
      const tokens = members.reduce((sum, node) => sum + (values[node] ?? 0), 1)
      best = Math.max(best, (tokens * stepMs(1)) / stepMs(members.length + 1))
    }
    const { nodes: chosen, gain, tokensPerStep } = bestSubtree(values, stepMs)
    expect(gain).toBeCloseTo(best, 12)
    expect(tokensPerStep).toBeCloseTo(
      chosen.reduce((sum, node) => sum + (values[node] ?? 0), 1),
      12,
    )
    for (const node of chosen) if ((parents[node] ?? -1) >= 0) expect(chosen).toContain(parents[node])
  }
})

test('nothing is worth a row that costs a step', () => {
  expect(bestSubtree([0.9, 0.8], (rows) => 10 * rows)).toEqual({ nodes: [], tokensPerStep: 1, gain: 1 })
})
