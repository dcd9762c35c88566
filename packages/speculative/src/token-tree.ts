import type { Proposal } from '@foretoken/generation'

/** Collects the nodes of a proposal. All of them are fixed. */
export interface TokenTree {
  readonly size: number
  /**
   * Adds a node, or finds the one that is there already.
   *
   * @param parent      index of a node, -1 for the root
   * @param confidence  the drafter's guess that the node is accepted, given that its parent is
   * @returns           its index
   */
  add(parent: number, token: number, confidence: number): number
  /** Undefined when nothing was added. */
  proposal(): Proposal | undefined
}

export function createTokenTree(): TokenTree {
  const tokens: number[] = []
  const parents: number[] = []
  const confidences: number[] = []
  return {
    get size() {
      return tokens.length
    },
    add(parent, token, confidence) {
      const known = tokens.findIndex((each, node) => each === token && parents[node] === parent)
      if (known >= 0) return known
      tokens.push(token)
      parents.push(parent)
      confidences.push(confidence)
      return tokens.length - 1
    },
    proposal() {
      if (tokens.length === 0) return undefined
      return { tokens: Int32Array.from(tokens), parents: Int32Array.from(parents), confidences: Float64Array.from(confidences) }
    },
  }
}
