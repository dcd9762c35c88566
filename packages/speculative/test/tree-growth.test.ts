/** Growth against every node there could be, and its distribution under the residual rule. */
import type { Proposal, TokenDistribution } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { type Chance, chanceFrom, verifyByResidual } from '../src/residual-verification.ts'
import { type Expand, type GrownTree, type GrowthLimits, growTree } from '../src/tree-growth.ts'
import { chiSquare, chiSquareLimit } from './chi-square.ts'

const VOCAB = 3

/** A random distribution after each context, the same each time. */
function tableOf(seed: number) {
  const known = new Map<string, TokenDistribution>()
  return (context: readonly number[]): TokenDistribution => {
    const key = context.join()
    const found =
      known.get(key) ?? distribution(randomStream({ seed, position: 1 + context.reduce((sum, token) => sum * 5 + token + 1, 0) }))
    known.set(key, found)
    return found
  }
}

function distribution(random: ReturnType<typeof randomStream>): TokenDistribution {
  const weights = Array.from({ length: VOCAB }, (_, i) => random.uniform(i) ** 2 + 0.01)
  const sum = weights.reduce((total, each) => total + each, 0)
  return { tokens: Int32Array.from(weights.keys()), probabilities: Float64Array.from(weights, (each) => each / sum) }
}

const pathOf = ({ tokens, parents }: GrownTree, node: number): number[] =>
  node < 0 ? [] : [...pathOf({ tokens, parents, probabilities: [] }, parents[node] ?? -1), tokens[node] ?? 0]

/** Candidates by rank. */
const ranked =
  (draft: ReturnType<typeof tableOf>): Expand =>
  async (nodes, tree) =>
    nodes.map((node) => {
      const { tokens, probabilities } = draft(pathOf(tree, node))
      const order = [...tokens.keys()].sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
      return { tokens: order, probabilities: order.map((i) => probabilities[i] ?? 0) }
    })

/** Value of each node of the whole tree, by its path. */
function allValues(draft: ReturnType<typeof tableOf>, depth: number, path: readonly number[] = [], value = 1): [string, number][] {
  if (path.length === depth) return []
  const { probabilities } = draft(path)
  return [...probabilities.keys()].flatMap((token): [string, number][] => {
    const own = value * (probabilities[token] ?? 0)
    return [[[...path, token].join(), own], ...allValues(draft, depth, [...path, token], own)]
  })
}

const LIMITS: GrowthLimits = { growth: 'heap', nodes: 6, deepest: 4, threshold: 0, children: VOCAB, mayLook: true }
const pathsOf = (tree: GrownTree) => [...tree.tokens.keys()].map((node) => pathOf(tree, node).join())

test('the heap finds the nodes of greatest value, greatest first', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const draft = tableOf(seed)
    const best = allValues(draft, 4).sort((a, b) => b[1] - a[1])
    const tree = await growTree(ranked(draft), LIMITS)
    expect(pathsOf(tree)).toEqual(best.slice(0, 6).map(([path]) => path))
  }
})

test('the threshold finds all nodes above it, layer by layer, with one expansion for each layer', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const draft = tableOf(seed)
    let calls = 0
    const expand: Expand = (nodes, tree) => {
      calls++
      return ranked(draft)(nodes, tree)
    }
    const tree = await growTree(expand, { ...LIMITS, growth: 'threshold', nodes: 100, threshold: 0.1 })
    const above = allValues(draft, 4).flatMap(([path, value]) => (value >= 0.1 ? [path] : []))
    expect(pathsOf(tree).sort()).toEqual(above.sort())
    expect(calls).toBeLessThanOrEqual(4)
  }
})

test('nodes, depth and children keep to their limits', async () => {
  for (const growth of ['heap', 'threshold'] as const) {
    const tree = await growTree(ranked(tableOf(1)), { ...LIMITS, growth, nodes: 5, deepest: 2, children: 1 })
    expect(tree.parents).toEqual([-1, 0])
    expect((await growTree(ranked(tableOf(1)), { ...LIMITS, growth, nodes: 5 })).tokens.length).toBe(5)
    expect((await growTree(async (nodes) => nodes.map(() => ({ tokens: [], probabilities: [] })), { ...LIMITS, growth })).tokens).toEqual(
      [],
    )
  }
})

/** Candidates drawn one after the other without those before; only as many as are taken count. */
const drawn =
  (draft: ReturnType<typeof tableOf>, root: readonly number[], chance: Chance): Expand =>
  async (nodes, tree) =>
    nodes.map((node) => {
      const { probabilities } = draft([...root, ...pathOf(tree, node)])
      const tokens: number[] = []
      while (tokens.length < VOCAB) tokens.push(chance.draw(without(probabilities, tokens)))
      return { tokens, probabilities: tokens.map((token) => probabilities[token] ?? 0) }
    })

function without(probabilities: Float64Array, gone: readonly number[]): TokenDistribution {
  const kept = [...probabilities.keys()].filter((token) => !gone.includes(token))
  const sum = kept.reduce((total, token) => total + (probabilities[token] ?? 0), 0)
  return { tokens: Int32Array.from(kept), probabilities: Float64Array.from(kept, (token) => (probabilities[token] ?? 0) / sum) }
}

async function statistic(limits: GrowthLimits, runs: number): Promise<number> {
  const [target, draft] = [tableOf(3), tableOf(1003)]
  const chance = chanceFrom(randomStream({ seed: 7 }))
  const counts = new Array<number>(VOCAB ** 3).fill(0)
  for (let run = 0; run < runs; run++) {
    const output: number[] = []
    while (output.length < 3) {
      const root = [...output]
      const tree = await growTree(drawn(draft, root, chance), limits)
      const sources = [...tree.tokens.keys()].map((node) => {
        const parent = tree.parents[node] ?? -1
        const earlier = tree.tokens.filter((_, other) => other < node && tree.parents[other] === parent)
        return { kind: 'drawn', distribution: without(draft([...root, ...pathOf(tree, parent)]).probabilities, earlier) } as const
      })
      const proposal: Proposal = { tokens: Int32Array.from(tree.tokens), parents: Int32Array.from(tree.parents), sources }
      output.push(
        ...verifyByResidual(proposal, (nodes) => target([...root, ...nodes.map((node) => tree.tokens[node] ?? 0)]), chance).emitted,
      )
    }
    const outcome = output.slice(0, 3).reduce((index, token) => index * VOCAB + token, 0)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  const expected = counts.map((_, index) => {
    const output = [Math.floor(index / 9), Math.floor(index / 3) % 3, index % 3]
    return output.reduce((product, token, at) => product * (target(output.slice(0, at)).probabilities[token] ?? 0), 1)
  })
  return chiSquare(counts, expected)
}

describe.each(['heap', 'threshold'] as const)('children drawn for a %s', (growth) => {
  const limits: GrowthLimits = { ...LIMITS, growth, nodes: 4, deepest: 3, threshold: 0.15, mayLook: false }

  test('give the distribution of the target by the residual rule (chi-square of 60,000 outputs, 26 degrees of freedom, error rate 1e-4)', async () => {
    expect(await statistic(limits, 60_000)).toBeLessThan(chiSquareLimit(26))
  }, 30_000)

  test('do not when they were looked at before they were added (control)', async () => {
    expect(await statistic({ ...limits, mayLook: true }, 20_000)).toBeGreaterThan(chiSquareLimit(26))
  }, 30_000)
})
