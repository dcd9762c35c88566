/**
 * Samples into rows: one row compares us with one other side in one measure. Medians are over all samples; the range of the
 * ratio is over the rounds, each of which compares runs that were made shortly after one another.
 */
import { type Aim, aimFor } from './aims.ts'
import { MEASURES, type Measure, type MeasureName, ratioOf } from './measure.ts'
import { median, spread } from './statistics.ts'

export interface Sample {
  readonly side: string
  readonly measure: MeasureName
  /** Tokens of the prompt, or of the text whose perplexity it is; 0 where none has been read. */
  readonly context: number
  readonly round: number
  readonly value: number
}

export interface Row {
  readonly measure: MeasureName
  readonly context: number
  /** What of us was compared, where it is not the usual. */
  readonly variant?: string
  readonly peer: string
  /** Which side it was, where the peer has several. */
  readonly peerSide?: string
  readonly unit: string
  /** Medians. */
  readonly ours: number
  readonly theirs: number
  /** Above 1: we are ahead. */
  readonly ratio: number
  /** Least and greatest ratio of a round. */
  readonly ratioLeast: number
  readonly ratioGreatest: number
  /** Least and greatest sample of each. */
  readonly oursLeast: number
  readonly oursGreatest: number
  readonly theirsLeast: number
  readonly theirsGreatest: number
  /** The ratio that is wanted here. */
  readonly aim?: number
}

/** One of our sides, and what to call it in the rows; the usual one has no name and is compared in everything. */
export interface OurSide {
  readonly side: string
  readonly variant?: string
  readonly measures?: readonly MeasureName[]
}

/** A peer in the report: one side, or one of several of a library. */
export interface ComparedPeer {
  readonly name: string
  readonly sides: readonly string[]
  /** Which of several: the best in each measure (when absent), or in all measures the one that decodes fastest after the shortest prompt. */
  readonly choice?: 'best' | 'fastest'
}

export function buildRows(samples: readonly Sample[], ours: readonly OurSide[], peers: readonly ComparedPeer[]): Row[] {
  const rows: Row[] = []
  const fastest = new Map(peers.map((peer) => [peer, fastestSide(samples, peer)]))
  for (const measure of MEASURES) {
    const measured = samples.filter((sample) => sample.measure === measure.name)
    for (const context of [...new Set(measured.map((sample) => sample.context))].sort((a, b) => a - b)) {
      const here = measured.filter((sample) => sample.context === context)
      for (const our of ours) {
        if (our.measures?.includes(measure.name) === false) continue
        const own = here.filter(({ side }) => side === our.side)
        if (own.length === 0) continue
        for (const peer of peers) {
          const theirs = peer.choice === 'fastest' ? here.filter(({ side }) => side === fastest.get(peer)) : bestSide(measure, here, peer)
          if (theirs.length > 0) rows.push(compare(measure, context, our, own, peer, theirs))
        }
      }
    }
  }
  return rows
}

/** The samples of the side of a peer whose median is best. */
function bestSide({ isHigherBetter }: Measure, samples: readonly Sample[], { sides }: ComparedPeer): readonly Sample[] {
  const bySide = sides.map((side) => samples.filter((sample) => sample.side === side)).filter((found) => found.length > 0)
  const rank = (found: readonly Sample[]) => (isHigherBetter ? -1 : 1) * median(valuesOf(found))
  return bySide.toSorted((a, b) => rank(a) - rank(b))[0] ?? []
}

function fastestSide(samples: readonly Sample[], { sides }: ComparedPeer): string | undefined {
  const decoded = samples.filter(({ measure, side }) => measure === 'decode' && sides.includes(side))
  const shortest = Math.min(...decoded.map(({ context }) => context))
  const time = (name: string) => median(valuesOf(decoded.filter(({ side, context }) => side === name && context === shortest)))
  return sides.filter((name) => !Number.isNaN(time(name))).toSorted((a, b) => time(a) - time(b))[0]
}

function compare(
  measure: Measure,
  context: number,
  { variant }: OurSide,
  ours: readonly Sample[],
  { name: peer, sides }: ComparedPeer,
  theirs: readonly Sample[],
): Row {
  const rounds = [...new Set(ours.map(({ round }) => round))].filter((round) => theirs.some((sample) => sample.round === round))
  const inRound = (samples: readonly Sample[], round: number) => median(valuesOf(samples.filter((sample) => sample.round === round)))
  const ratios = spread(rounds.map((round) => ratioOf(measure, inRound(ours, round), inRound(theirs, round))))
  const [own, other] = [median(valuesOf(ours)), median(valuesOf(theirs))]
  const [ownSpread, otherSpread] = [spread(valuesOf(ours)), spread(valuesOf(theirs))]
  const aim: Aim | undefined = variant === undefined ? aimFor(measure.name, context, peer) : undefined
  return {
    measure: measure.name,
    context,
    ...(variant === undefined ? {} : { variant }),
    peer,
    ...(sides.length > 1 && theirs[0] !== undefined ? { peerSide: theirs[0].side } : {}),
    unit: measure.unit,
    ours: own,
    theirs: other,
    ratio: ratioOf(measure, own, other),
    ratioLeast: ratios.least,
    ratioGreatest: ratios.greatest,
    oursLeast: ownSpread.least,
    oursGreatest: ownSpread.greatest,
    theirsLeast: otherSpread.least,
    theirsGreatest: otherSpread.greatest,
    ...(aim === undefined ? {} : { aim: aim.ratio }),
  }
}

function valuesOf(samples: readonly Sample[]): number[] {
  return samples.map(({ value }) => value)
}
