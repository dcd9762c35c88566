/**
 * The proposals of several drafters as one tree. A token that two of them propose at the same place belongs to the one that was asked first; where they
 * differ their tokens are siblings, so that a step can hold the best children of each.
 */
import { ArgumentError } from '@foretoken/tensor'
import type { NodeSource, Proposal } from '../drafter.ts'
import { DraftError } from '../errors.ts'

/** A tree of nodes, parents first. */
export interface MergedTree {
  readonly tokens: readonly number[]
  /** -1 below the root. */
  readonly parents: readonly number[]
  /** Index of the drafter of each node. */
  readonly owners: readonly number[]
  /** 1 below the root. */
  readonly depths: readonly number[]
  /** Rank of each node among its drafter's siblings. */
  readonly ranks: readonly number[]
  readonly confidences: readonly number[]
  readonly sources: readonly NodeSource[]
}

/** A guess of a drafter that gives none. */
const UNKNOWN_CONFIDENCE = 0.5

/**
 * @param proposals  of the drafters, in their order
 * @param names      of the drafters, for errors
 * @throws {ArgumentError} for rows that are not verified: a budget counts nodes
 * @throws {DraftError} for parents that are none
 */
export function mergeProposals(proposals: readonly (Proposal | undefined)[], names: readonly string[]): MergedTree {
  const tokens: number[] = []
  const parents: number[] = []
  const owners: number[] = []
  const depths: number[] = []
  const ranks: number[] = []
  const confidences: number[] = []
  const sources: NodeSource[] = []
  for (const [owner, proposal] of proposals.entries()) {
    if (proposal === undefined) continue
    if (proposal.unverified !== undefined) {
      const expected = 'a drafter without them: a budget counts nodes'
      throw new ArgumentError({ field: 'unverified', found: 'rows that are not verified', expected })
    }
    const known = tokens.length
    const places: number[] = []
    const siblings = new Map<number, number>()
    for (let node = 0; node < proposal.tokens.length; node++) {
      const token = proposal.tokens[node] ?? 0
      const given = proposal.parents[node] ?? node
      if (given < -1 || given >= node) {
        const expected = `-1 or the index of an earlier node, below ${node}`
        throw new DraftError({ field: `${names[owner]}, parents[${node}]`, found: String(proposal.parents[node]), expected })
      }
      const rank = siblings.get(given) ?? 0
      siblings.set(given, rank + 1)
      const parent = given < 0 ? -1 : (places[given] ?? -1)
      let place = -1
      for (let other = 0; other < known; other++) if (tokens[other] === token && parents[other] === parent) place = other
      if (place < 0) {
        place = tokens.length
        tokens.push(token)
        parents.push(parent)
        owners.push(owner)
        depths.push(parent < 0 ? 1 : (depths[parent] ?? 0) + 1)
        ranks.push(rank)
        confidences.push(proposal.confidences?.[node] ?? UNKNOWN_CONFIDENCE)
        sources.push(proposal.sources?.[node] ?? { kind: 'fixed' })
      }
      places.push(place)
    }
  }
  return { tokens, parents, owners, depths, ranks, confidences, sources }
}

/** The first child of the first child, and so on: for models whose rows cannot branch. */
export function firstChain({ parents }: MergedTree): readonly number[] {
  const nodes: number[] = []
  for (const [node, parent] of parents.entries()) if (parent === (nodes.at(-1) ?? -1)) nodes.push(node)
  return nodes
}

/** @param nodes  ascending, each with its parent */
export function proposalOf({ tokens, parents, sources, confidences }: MergedTree, nodes: readonly number[]): Proposal {
  const places = new Map(nodes.map((node, index) => [node, index]))
  return {
    tokens: Int32Array.from(nodes, (node) => tokens[node] ?? 0),
    parents: Int32Array.from(nodes, (node) => places.get(parents[node] ?? -1) ?? -1),
    sources: nodes.map((node) => sources[node] ?? { kind: 'fixed' }),
    confidences: Float64Array.from(nodes, (node) => confidences[node] ?? 0),
  }
}
