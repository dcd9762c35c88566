/**
 * Follows the output through proposals, whether they were verified or not: what comes next shows which of the nodes were right. So acceptance is
 * learned for nothing while nothing is drafted.
 */
import type { MergedTree } from './merge-proposals.ts'

export interface Judged {
  readonly tree: MergedTree
  /** Nodes that were verified, or would have been if drafting had not been paused. */
  readonly chosen: ReadonlySet<number>
  readonly isVerified: boolean
}

export interface AcceptanceJudge {
  begin(judged: Judged): void
  read(emitted: readonly number[]): void
}

export interface JudgeEvents {
  /** A node whose parent was right is right or not. */
  readonly onNode: (tree: MergedTree, node: number, isRight: boolean) => void
  /** The output has left a tree: so many of the chosen nodes were right, one below the other. */
  readonly onEnd: (judged: Judged, rightNodes: readonly number[]) => void
}

/** Trees that are followed at a time and were not verified: those of the steps meanwhile say the same at smaller depths. */
const MOST_UNVERIFIED = 2

export function createAcceptanceJudge({ onNode, onEnd }: JudgeEvents): AcceptanceJudge {
  let walks: { readonly judged: Judged; readonly right: number[]; node: number }[] = []
  return {
    begin(judged) {
      if (judged.isVerified || walks.length < MOST_UNVERIFIED) walks.push({ judged, right: [], node: -1 })
    },
    read(emitted) {
      for (const token of emitted) {
        walks = walks.filter((walk) => {
          const { tree, chosen } = walk.judged
          let next = -2
          for (let node = walk.node + 1; node < tree.tokens.length; node++) {
            if (tree.parents[node] !== walk.node) continue
            const isRight = tree.tokens[node] === token
            onNode(tree, node, isRight)
            if (isRight) next = node
          }
          if (next >= 0 && chosen.has(next)) walk.right.push(next)
          walk.node = next
          if (next < 0) onEnd(walk.judged, walk.right)
          return next >= 0
        })
      }
    },
  }
}
