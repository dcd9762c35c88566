/**
 * How often the tokens of one drafter hold: by their depth, their rank among siblings, how sure the drafter was, and what drafters before it said.
 * A cell that was seen rarely is filled up with what is known of its rank and confidence at any depth, and that with what the drafter says. Old
 * observations fade.
 */
import { ArgumentError } from '@foretoken/tensor'

/** A node, given that its parent was accepted. */
export interface NodePlace {
  /** 1 below the root. */
  readonly depth: number
  /** 0 for the first of its drafter's siblings. */
  readonly rank: number
  /** The drafter's guess, from 0 to 1. */
  readonly confidence: number
  /** Estimate of the likeliest sibling of a drafter that was asked before, from 0 to 1: what is left for this one is what that one misses. */
  readonly rival: number
}

export interface AcceptanceTable {
  /** Probability that a node is accepted when its parent is. */
  estimate(place: NodePlace): number
  observe(place: NodePlace, isAccepted: boolean): void
  /** A copy of what was learned. */
  snapshot(): AcceptanceSnapshot
}

/** [cells] how often each was tested, and how often it held, faded. */
export interface AcceptanceSnapshot {
  readonly tested: Float64Array
  readonly accepted: Float64Array
}

const DEPTHS = 8
const RANKS = 4
const LEVELS = 8
/** A rival from 0.2 on is a weak one, from 0.5 on a strong one. */
const RIVALS = [0.2, 0.5]
const COARSE_CELLS = (RIVALS.length + 1) * RANKS * LEVELS
const CELLS = (DEPTHS + 1) * COARSE_CELLS
/** Observations that a prior is worth. */
const PRIOR_WEIGHT = 4
/** A cell keeps this part of its past with each observation: about the last 100 count. */
const FADING = 0.99

/**
 * @param snapshot  where to begin
 * @throws {ArgumentError} for a snapshot that is none
 */
export function createAcceptanceTable(snapshot?: AcceptanceSnapshot): AcceptanceTable {
  if (snapshot !== undefined) checkSnapshot(snapshot)
  // the first cells are those of any depth
  const tested = snapshot?.tested.slice() ?? new Float64Array(CELLS)
  const accepted = snapshot?.accepted.slice() ?? new Float64Array(CELLS)
  const rate = (cell: number, prior: number) => ((accepted[cell] ?? 0) + PRIOR_WEIGHT * prior) / ((tested[cell] ?? 0) + PRIOR_WEIGHT)
  const add = (cell: number, isAccepted: boolean) => {
    tested[cell] = (tested[cell] ?? 0) * FADING + 1
    accepted[cell] = (accepted[cell] ?? 0) * FADING + (isAccepted ? 1 : 0)
  }
  return {
    estimate(place) {
      const coarse = coarseCell(place)
      return rate(fineCell(place.depth, coarse), rate(coarse, place.confidence * (1 - place.rival)))
    },
    observe(place, isAccepted) {
      const coarse = coarseCell(place)
      add(coarse, isAccepted)
      add(fineCell(place.depth, coarse), isAccepted)
    },
    snapshot: () => ({ tested: tested.slice(), accepted: accepted.slice() }),
  }
}

function coarseCell({ rank, confidence, rival }: NodePlace): number {
  const [weak = 0, strong = 0] = RIVALS
  const strength = rival >= strong ? 2 : rival >= weak ? 1 : 0
  return (strength * RANKS + Math.min(rank, RANKS - 1)) * LEVELS + Math.max(0, Math.min(LEVELS - 1, Math.floor(confidence * LEVELS)))
}

function fineCell(depth: number, coarse: number): number {
  return Math.min(depth, DEPTHS) * COARSE_CELLS + coarse
}

function checkSnapshot({ tested, accepted }: AcceptanceSnapshot): void {
  const refuse = (field: string, found: string, expected: string) => {
    throw new ArgumentError({ field: `learned.${field}`, found, expected })
  }
  for (const [field, values] of Object.entries({ tested, accepted })) {
    if (values.length !== CELLS) refuse(field, `${values.length} cells`, `${CELLS}`)
    const wrong = values.find((value) => !(value >= 0 && Number.isFinite(value)))
    if (wrong !== undefined) refuse(field, `${wrong}`, 'finite numbers >= 0')
  }
  const wrong = accepted.findIndex((value, cell) => value > (tested[cell] ?? 0))
  if (wrong >= 0) refuse('accepted', `${accepted[wrong]} of ${tested[wrong]}`, 'no more than were tested')
}
