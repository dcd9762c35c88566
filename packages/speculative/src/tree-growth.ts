/**
 * How DySpec (Xiong et al. 2024) grows a tree of drafts: always where the next node is likeliest to be reached and accepted. The probability that a
 * child is accepted is taken to be what is left of the draft's distribution after the earlier siblings, so along a node's children those
 * probabilities telescope to the draft's own: value(child) = value(parent) * q(child), and what remains for later siblings is
 * value(parent) * (1 - sum of q so far).
 *
 * A child that is to count as drawn from the distribution may not be chosen by looking at it: then the place of the next draw is chosen by what
 * remains there, which is known before the draw. Children that are fixed may be looked at, and the place is that of the likeliest child.
 *
 * Growth by a heap adds the likeliest node of all, one after the other; it expands nodes when their turn comes, all that are waiting in one step of the
 * draft model. Growth by a threshold goes layer by layer, and adds whatever is likelier than the threshold: one step for each layer.
 */

/** What may come after a node, in the order of the draws. */
export interface Candidates {
  /** [candidates] ids, all different. */
  readonly tokens: ArrayLike<number>
  /** [candidates] the draft's probability of each. */
  readonly probabilities: ArrayLike<number>
}

export interface GrownTree {
  /** [nodes] */
  readonly tokens: readonly number[]
  /** [nodes] index of the parent, -1 below the root. */
  readonly parents: readonly number[]
  /** [nodes] the draft's probability of each after its parent. */
  readonly probabilities: readonly number[]
}

export interface GrowthLimits {
  readonly growth: 'heap' | 'threshold'
  /** Most nodes. */
  readonly nodes: number
  readonly deepest: number
  /** Least value of a node, and of a place where something is drawn. */
  readonly threshold: number
  /** Most children of a node. */
  readonly children: number
  /** Whether candidates may be looked at before it is decided to add them. */
  readonly mayLook: boolean
}

/** The candidates after some nodes (-1: the root) of a tree so far, in the order of the nodes; none after a node that is not to have children. */
export type Expand = (nodes: readonly number[], tree: GrownTree) => Promise<readonly Candidates[]>

/** A node at which children may be added. */
interface Place {
  readonly node: number
  readonly depth: number
  readonly value: number
  candidates: Candidates | undefined
  /** Children so far. */
  drawn: number
  /** Of the draft's distribution, without them. */
  rest: number
}

export async function growTree(expand: Expand, limits: GrowthLimits): Promise<GrownTree> {
  const tokens: number[] = []
  const parents: number[] = []
  const probabilities: number[] = []
  const tree: GrownTree = { tokens, parents, probabilities }
  const add = (place: Place): Place => {
    const probability = place.candidates?.probabilities[place.drawn] ?? 0
    parents.push(place.node)
    tokens.push(place.candidates?.tokens[place.drawn] ?? 0)
    probabilities.push(probability)
    place.drawn++
    place.rest = Math.max(0, place.rest - probability)
    return placeAt(tokens.length - 1, place.depth + 1, place.value * probability)
  }
  const expandAll = async (places: readonly Place[]): Promise<void> => {
    const nodes = places.map(({ node }) => node)
    for (const [i, candidates] of (await expand(nodes, tree)).entries()) {
      const place = places[i]
      if (place !== undefined) place.candidates = candidates
    }
  }
  const root = placeAt(-1, 0, 1)
  await (limits.growth === 'heap' ? growByHeap(root) : growByThreshold(root))
  return tree

  async function growByHeap(start: Place): Promise<void> {
    const open = [start]
    while (tokens.length < limits.nodes) {
      let best = open[0]
      for (const place of open) if (best === undefined || worth(place, limits) > worth(best, limits)) best = place
      if (best === undefined || !isWorthwhile(best, limits)) return
      if (best.candidates === undefined)
        await expandAll(open.filter((place) => place.candidates === undefined && isWorthwhile(place, limits)))
      else open.push(add(best))
    }
  }

  async function growByThreshold(start: Place): Promise<void> {
    for (let layer = [start]; layer.length > 0; ) {
      await expandAll(layer)
      const next: Place[] = []
      for (const place of layer) while (tokens.length < limits.nodes && isWorthwhile(place, limits)) next.push(add(place))
      layer = tokens.length === limits.nodes ? [] : next.filter((place) => isWorthwhile(place, limits))
    }
  }
}

function placeAt(node: number, depth: number, value: number): Place {
  return { node, depth, value, candidates: undefined, drawn: 0, rest: 1 }
}

/** The value of what would be added next; at a place that is not expanded the most that it can be. */
function worth(place: Place, { deepest, children, mayLook }: GrowthLimits): number {
  if (place.depth === deepest || place.drawn === children) return 0
  if (place.candidates === undefined) return place.value
  if (place.drawn >= place.candidates.tokens.length) return 0
  return place.value * (mayLook ? (place.candidates.probabilities[place.drawn] ?? 0) : place.rest)
}

function isWorthwhile(place: Place, limits: GrowthLimits): boolean {
  const own = worth(place, limits)
  return own > 0 && own >= limits.threshold
}
