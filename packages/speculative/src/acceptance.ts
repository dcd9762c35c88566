/**
 * How often drafted tokens hold, by their depth, their rank among siblings, and how sure the drafter was. A cell that was seen rarely is filled up
 * with what is known of its rank and confidence at any depth, and that with what the drafter says. Old observations fade.
 */

/** A node, given that its parent was accepted. */
export interface NodePlace {
  /** 1 below the root. */
  readonly depth: number
  /** 0 for the first of its siblings. */
  readonly rank: number
  /** The drafter's guess, from 0 to 1. */
  readonly confidence: number
}

export interface AcceptanceTable {
  /** Probability that a node is accepted when its parent is. */
  estimate(place: NodePlace): number
  observe(place: NodePlace, isAccepted: boolean): void
}

const DEPTHS = 8
const RANKS = 4
const LEVELS = 8
/** Observations that a prior is worth. */
const PRIOR_WEIGHT = 4
/** A cell keeps this part of its past with each observation: about the last 100 count. */
const FADING = 0.99

export function createAcceptanceTable(): AcceptanceTable {
  const fine = createCounts(DEPTHS * RANKS * LEVELS)
  const coarse = createCounts(RANKS * LEVELS)
  const coarseCell = ({ rank, confidence }: NodePlace) =>
    Math.min(rank, RANKS - 1) * LEVELS + Math.min(LEVELS - 1, Math.floor(confidence * LEVELS))
  const fineCell = (place: NodePlace) => (Math.min(place.depth, DEPTHS) - 1) * RANKS * LEVELS + coarseCell(place)
  return {
    estimate: (place) => fine.rate(fineCell(place), coarse.rate(coarseCell(place), place.confidence)),
    observe(place, isAccepted) {
      fine.add(fineCell(place), isAccepted)
      coarse.add(coarseCell(place), isAccepted)
    },
  }
}

function createCounts(cells: number) {
  const tested = new Float64Array(cells)
  const accepted = new Float64Array(cells)
  return {
    rate: (cell: number, prior: number) => ((accepted[cell] ?? 0) + PRIOR_WEIGHT * prior) / ((tested[cell] ?? 0) + PRIOR_WEIGHT),
    add(cell: number, isAccepted: boolean) {
      tested[cell] = (tested[cell] ?? 0) * FADING + 1
      accepted[cell] = (accepted[cell] ?? 0) * FADING + (isAccepted ? 1 : 0)
    },
  }
}
