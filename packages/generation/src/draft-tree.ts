/** A proposal that has been checked, as the rows of one step: row 0 is the root, then the nodes, then rows that are not verified. */
import type { Visibility } from '@foretoken/models'
import type { DraftRequest, Proposal } from './drafter.ts'
import { DraftError } from './errors.ts'

export interface DraftTree {
  /** [rows] ids. */
  readonly tokens: Int32Array
  /** [rows] row of the parent, -1 for the root. */
  readonly parents: Int32Array
  /** [rows] */
  readonly depths: Int32Array
  /** Rows that can be accepted: the root and the nodes. */
  readonly verified: number
  /** Whether each row is the only child of the one before. */
  readonly isChain: boolean
}

export interface TreeLimits extends Pick<DraftRequest, 'most' | 'deepest'> {
  readonly vocab: number
  /** Whether the model can let rows branch. */
  readonly mayBranch: boolean
}

/**
 * @param root  the last token of the output
 * @throws {DraftError} for a tree that is none, that is larger than asked for, that has two siblings with one token, or ids outside of the vocabulary
 */
export function draftTree(drafter: string, root: number, proposal: Proposal, limits: TreeLimits): DraftTree {
  const refuse = (field: string, found: string, expected: string): never => {
    throw new DraftError({ field: `${drafter}, ${field}`, found, expected })
  }
  const { tokens: nodes, parents: nodeParents, unverified } = proposal
  const extra = unverified?.tokens ?? new Int32Array(0)
  const count = nodes.length + extra.length
  if (count > limits.most) refuse('tokens', `${count} rows`, `at most ${limits.most}`)
  const tokens = new Int32Array(1 + count)
  tokens[0] = root
  tokens.set(nodes, 1)
  tokens.set(extra, 1 + nodes.length)
  const parents = new Int32Array(1 + count)
  parents[0] = -1
  const depths = new Int32Array(1 + count)
  let isChain = true
  for (const [field, from, ids, given] of [
    ['parents', 1, nodes, nodeParents],
    ['unverified.parents', 1 + nodes.length, extra, unverified?.parents ?? extra],
  ] as const) {
    if (given.length !== ids.length) refuse(field, `${given.length} parents`, `${ids.length}, one for each token`)
    for (let i = 0; i < ids.length; i++) {
      const row = from + i
      const parent = (given[i] ?? 0) + 1
      const token = ids[i] ?? 0
      if (parent < 0 || parent >= row) refuse(`${field}[${i}]`, `${parent - 1}`, `-1 or the index of an earlier row, below ${row - 1}`)
      if (token < 0 || token >= limits.vocab) refuse(`tokens[${row - 1}]`, `${token}`, `a token id from 0 to ${limits.vocab - 1}`)
      parents[row] = parent
      depths[row] = (depths[parent] ?? 0) + 1
      if (parent !== row - 1) isChain = false
    }
  }
  for (let row = 1; row <= nodes.length; row++) {
    if ((depths[row] ?? 0) > limits.deepest) refuse(`tokens[${row - 1}]`, `depth ${depths[row]}`, `at most ${limits.deepest}`)
    for (let other = 1; other < row; other++) {
      if (parents[other] === parents[row] && tokens[other] === tokens[row]) {
        refuse(`tokens[${row - 1}]`, `token ${tokens[row]}, as its sibling ${other - 1}`, 'siblings with different tokens')
      }
    }
  }
  if (!isChain && !limits.mayBranch) refuse('parents', 'a tree', 'a chain: the model has no tree visibility')
  return { tokens, parents, depths, verified: 1 + nodes.length, isChain }
}

/** The row below `row` with this token, -1 when none was proposed. */
export function childOf({ tokens, parents, verified }: DraftTree, row: number, token: number): number {
  for (let child = row + 1; child < verified; child++) if (parents[child] === row && tokens[child] === token) return child
  return -1
}

/** Whether anything was proposed below a row. */
export function hasChild({ parents, verified }: DraftTree, row: number): boolean {
  for (let child = row + 1; child < verified; child++) if (parents[child] === row) return true
  return false
}

/** Absent for a chain, which is causal. */
export function visibilityOf({ parents, isChain }: DraftTree): { readonly visibility?: Visibility } {
  return isChain ? {} : { visibility: { kind: 'tree', parents } }
}
