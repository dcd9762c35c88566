import { expect, test } from 'vitest'
import type { Proposal } from '../../src/drafter.ts'
import { firstChain, mergeProposals, proposalOf } from '../../src/speculation/merge-proposals.ts'

const proposal = (nodes: readonly (readonly [parent: number, token: number])[], confidences?: readonly number[]): Proposal => ({
  tokens: Int32Array.from(nodes, ([, token]) => token),
  parents: Int32Array.from(nodes, ([parent]) => parent),
  ...(confidences === undefined ? {} : { confidences: Float64Array.from(confidences) }),
})
const chain = proposal([
  [-1, 5],
  [0, 6],
  [1, 7],
])
const tree = proposal(
  [
    [-1, 8],
    [-1, 5],
    [1, 9],
    [1, 6],
    [3, 4],
  ],
  [0.5, 0.4, 0.3, 0.2, 0.1],
)
const NAMES = ['a', 'b']

test('a token at the same place is one node of the first drafter, and what differs becomes siblings', () => {
  const { tokens, parents, owners, depths, ranks } = mergeProposals([chain, tree], NAMES)
  expect(tokens).toEqual([5, 6, 7, 8, 9, 4])
  expect(parents).toEqual([-1, 0, 1, -1, 0, 1])
  expect(owners).toEqual([0, 0, 0, 1, 1, 1])
  expect(depths).toEqual([1, 2, 3, 1, 2, 3])
  expect(ranks).toEqual([0, 0, 0, 0, 0, 0])
})

test('one proposal alone keeps its order, and drafters without one are skipped', () => {
  const merged = mergeProposals([undefined, tree], NAMES)
  expect(merged.tokens).toEqual([8, 5, 9, 6, 4])
  expect(merged.ranks).toEqual([0, 1, 0, 1, 0])
  expect(merged.confidences).toEqual([0.5, 0.4, 0.3, 0.2, 0.1])
  expect(proposalOf(merged, [1, 3, 4])).toMatchObject({ tokens: Int32Array.of(5, 6, 4), parents: Int32Array.of(-1, 0, 1) })
  expect(mergeProposals([undefined, undefined], NAMES).tokens).toEqual([])
})

test('the chain for models that cannot branch is that of first children', () => {
  expect(firstChain(mergeProposals([tree], NAMES))).toEqual([0])
  expect(firstChain(mergeProposals([chain, tree], NAMES))).toEqual([0, 1, 2])
})

test('parents that are none are refused with the name of the drafter, unverified rows as well', () => {
  expect(() => mergeProposals([undefined, proposal([[0, 5]])], NAMES)).toThrow(/b, parents\[0\]: found 0/)
  expect(() => mergeProposals([proposal([[-2, 5]])], NAMES)).toThrow(/a, parents\[0\]: found -2/)
  const extra = { ...chain, unverified: { tokens: Int32Array.of(1), parents: Int32Array.of(-1) } }
  expect(() => mergeProposals([extra], NAMES)).toThrow(/not verified/)
})
