/**
 * The residual rule on a model of three tokens whose distributions are a table. Exactly: every decision is taken both ways with its probability, which
 * enumerates the distribution of the output. And by chance: 300,000 outputs of three tokens against the 27 probabilities, error rate 1e-4.
 */
import type { NodeSource, Proposal, TokenDistribution } from '@foretoken/generation'
import { randomStream } from '@foretoken/tensor'
import { describe, expect, test } from 'vitest'
import { type Chance, chanceFrom, chooseChild, verifyByResidual } from '../src/index.ts'
import { chiSquare, chiSquareLimit } from './chi-square.ts'

const VOCAB = 3
const FIXED: NodeSource = { kind: 'fixed' }

function distribution(weights: readonly number[]): TokenDistribution {
  const sum = weights.reduce((a, b) => a + b, 0)
  const kept = weights.flatMap((weight, token) => (weight > 0 ? [token] : []))
  return { tokens: Int32Array.from(kept), probabilities: Float64Array.from(kept, (token) => (weights[token] ?? 0) / sum) }
}

const tables = new Map<number, TokenDistribution>()

/** Different for every context, and for target and draft. */
function tableOf(seed: number) {
  return (context: readonly number[]): TokenDistribution => {
    const position = context.reduce((hash, token) => hash * 4 + token + 1, 0)
    const known = tables.get(seed * 2 ** 20 + position)
    if (known !== undefined) return known
    const random = randomStream({ seed, position })
    const made = distribution(Array.from({ length: VOCAB }, (_, token) => 0.05 + random.uniform(token) ** 2))
    tables.set(seed * 2 ** 20 + position, made)
    return made
  }
}

const remaining = ({ tokens, probabilities }: TokenDistribution, taken: readonly number[]): TokenDistribution =>
  distribution(Array.from({ length: VOCAB }, (_, token) => (taken.includes(token) ? 0 : (probabilities[tokens.indexOf(token)] ?? 0))))

type Drafting = (root: readonly number[], draft: (context: readonly number[]) => TokenDistribution, chance: Chance) => Proposal

interface Node {
  readonly token: number
  readonly parent: number
  readonly source: NodeSource
}

const proposalOf = (nodes: readonly Node[]): Proposal => ({
  tokens: Int32Array.from(nodes, ({ token }) => token),
  parents: Int32Array.from(nodes, ({ parent }) => parent),
  sources: nodes.map(({ source }) => source),
})

const chainOfTwo: Drafting = (root, draft, chance) => {
  const nodes: Node[] = []
  const context = [...root]
  for (let depth = 0; depth < 2; depth++) {
    const from = draft(context)
    const token = chance.draw(from)
    nodes.push({ token, parent: depth - 1, source: { kind: 'drawn', distribution: from } })
    context.push(token)
  }
  return proposalOf(nodes)
}

/** Two children without replacement, and one below the first of them. */
const withoutReplacement: Drafting = (root, draft, chance) => {
  const first = draft(root)
  const a = chance.draw(first)
  const second = remaining(first, [a])
  const b = chance.draw(second)
  const below = draft([...root, a])
  return proposalOf([
    { token: a, parent: -1, source: { kind: 'drawn', distribution: first } },
    { token: b, parent: -1, source: { kind: 'drawn', distribution: second } },
    { token: chance.draw(below), parent: 0, source: { kind: 'drawn', distribution: below } },
  ])
}

/** The draft's best token, fixed, then one drawn from all of its distribution. */
const mixed: Drafting = (root, draft, chance) => {
  const from = draft(root)
  const best = from.tokens[from.probabilities.indexOf(Math.max(...from.probabilities))] ?? 0
  return proposalOf([
    { token: best, parent: -1, source: FIXED },
    { token: chance.draw(from), parent: -1, source: { kind: 'drawn', distribution: from } },
    { token: 2, parent: 0, source: FIXED },
  ])
}

/** The known wrong rule: two draws, of which the likelier is kept and called drawn. */
const reranked: Drafting = (root, draft, chance) => {
  const from = draft(root)
  const pair = [chance.draw(from), chance.draw(from)]
  const likelihood = (token: number) => from.probabilities[from.tokens.indexOf(token)] ?? 0
  const token = likelihood(pair[0] ?? 0) >= likelihood(pair[1] ?? 0) ? pair[0] : pair[1]
  return proposalOf([{ token: token ?? 0, parent: -1, source: { kind: 'drawn', distribution: from } }])
}

/** Speculative decoding until three tokens are there. */
function threeTokens(seed: number, drafting: Drafting, chance: Chance): number {
  const [target, draft] = [tableOf(seed), tableOf(seed + 1000)]
  const output: number[] = []
  while (output.length < 3) {
    const root = [...output]
    const proposal = drafting(root, draft, chance)
    const after = (nodes: readonly number[]) => target([...root, ...nodes.map((node) => proposal.tokens[node] ?? 0)])
    output.push(...verifyByResidual(proposal, after, chance).emitted)
  }
  return output.slice(0, 3).reduce((index, token) => index * VOCAB + token, 0)
}

/** [27] by multiplying the target's probabilities. */
function expectedOf(seed: number): number[] {
  const target = tableOf(seed)
  return Array.from({ length: VOCAB ** 3 }, (_, index) => {
    const output = [Math.floor(index / 9), Math.floor(index / 3) % 3, index % 3]
    return output.reduce((product, token, at) => product * (target(output.slice(0, at)).probabilities[token] ?? 0), 1)
  })
}

/** The distribution of what `run` returns when its chances are taken in every way. */
function enumerated(run: (chance: Chance) => number, outcomes: number): number[] {
  const totals = new Array<number>(outcomes).fill(0)
  const open: (readonly number[])[] = [[]]
  for (let script = open.pop(); script !== undefined; script = open.pop()) {
    const taken: number[] = []
    let weight = 1
    /** Takes the scripted choice, or the first one and leaves the others for later. */
    const choose = (probabilities: readonly number[]): number => {
      const at = taken.length
      const choice = script?.[at] ?? 0
      if (at >= (script?.length ?? 0)) for (let other = 1; other < probabilities.length; other++) open.push([...taken, other])
      taken.push(choice)
      weight *= probabilities[choice] ?? 0
      return choice
    }
    const chance: Chance = {
      accept: (probability) => choose([Math.min(1, probability), Math.max(0, 1 - probability)]) === 0,
      draw: ({ tokens, probabilities }) => tokens[choose([...probabilities])] ?? 0,
    }
    const outcome = run(chance)
    totals[outcome] = (totals[outcome] ?? 0) + weight
  }
  return totals
}

const largestError = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((each, i) => Math.abs(each - (b[i] ?? 0))))

const DRAFTINGS: [string, Drafting][] = [
  ['a drawn chain', chainOfTwo],
  ['a tree drawn without replacement', withoutReplacement],
  ['fixed and drawn siblings', mixed],
]

describe.each(DRAFTINGS)('%s', (_name, drafting) => {
  test('gives the distribution of the target, by enumeration of every decision (1e-12)', () => {
    for (let seed = 1; seed <= 8; seed++) {
      expect(
        largestError(
          enumerated((chance) => threeTokens(seed, drafting, chance), 27),
          expectedOf(seed),
        ),
      ).toBeLessThan(1e-12)
    }
  })

  test('gives it by chance (chi-square of 300,000 outputs, 26 degrees of freedom, error rate 1e-4)', () => {
    const chance = chanceFrom(randomStream({ seed: 77 }))
    const counts = new Array<number>(27).fill(0)
    for (let run = 0; run < 300_000; run++) {
      const outcome = threeTokens(3, drafting, chance)
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
    expect(chiSquare(counts, expectedOf(3))).toBeLessThan(chiSquareLimit(26))
  })
})

test('re-ranking after the draw is found out by both tests (control)', () => {
  expect(
    largestError(
      enumerated((chance) => threeTokens(3, reranked, chance), 27),
      expectedOf(3),
    ),
  ).toBeGreaterThan(0.01)
  const chance = chanceFrom(randomStream({ seed: 77 }))
  const counts = new Array<number>(27).fill(0)
  for (let run = 0; run < 300_000; run++) {
    const outcome = threeTokens(3, reranked, chance)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  expect(chiSquare(counts, expectedOf(3))).toBeGreaterThan(10 * chiSquareLimit(26))
})

test('a draft with the distribution of the target is always accepted', () => {
  const chance = chanceFrom(randomStream({ seed: 5 }))
  for (let seed = 1; seed <= 200; seed++) {
    const same = tableOf(seed)([])
    const token = chance.draw(same)
    expect(chooseChild(same, [{ token, source: { kind: 'drawn', distribution: same } }], chance)).toEqual({ child: 0, token })
  }
})

test('a child that its distribution cannot give is refused', () => {
  const source: NodeSource = { kind: 'drawn', distribution: distribution([1, 0, 1]) }
  const children = [{ token: 1, source }]
  expect(() => chooseChild(distribution([1, 1, 1]), children, chanceFrom(randomStream({ seed: 1 })))).toThrow(
    /children\[0\]: found token 1/,
  )
})
