/**
 * Beam search as transformers 5 writes it down: a fixed number of slots for running and for finished beams, minus 1e9 for what is not
 * there, everything recomputed from the tokens at each step. No caches, no early ends other than the rules'.
 */
export interface SlowBeamOptions {
  /** Natural log-probabilities after the processors, [vocab]. */
  readonly next: (output: readonly number[]) => readonly number[]
  readonly count: number
  readonly room: number
  readonly lengthPenalty: number
  readonly earlyStopping: boolean | 'never'
  readonly stopTokens: readonly number[]
}

const NOT_THERE = -1e9

interface Slot {
  ids: readonly number[]
  score: number
  isFinished: boolean
}

export function slowBeamSearch({ next, count, room, lengthPenalty, earlyStopping, stopTokens }: SlowBeamOptions) {
  const looked = Math.max(2, 1 + stopTokens.length) * count
  let running: Slot[] = Array.from({ length: count }, (_, i) => ({ ids: [], score: i === 0 ? 0 : NOT_THERE, isFinished: false }))
  let finished: Slot[] = Array.from({ length: count }, () => ({ ids: [], score: NOT_THERE, isFinished: false }))
  let canImprove = true
  let allStopped = false
  for (let length = 1; ; length++) {
    const full = finished.every((slot) => slot.isFinished)
    if (!canImprove || (full && earlyStopping === true) || allStopped) break
    const continued = running.flatMap((beam) =>
      next(beam.ids).map((score, token) => ({ ids: [...beam.ids, token], score: beam.score + score })),
    )
    continued.sort((a, b) => b.score - a.score)
    const top = continued.slice(0, looked)
    const stops = top.map(({ ids }) => stopTokens.includes(ids.at(-1) ?? -1) || ids.length === room)
    allStopped = stops.every(Boolean)
    running = top
      .map((each, i) => ({ ids: each.ids, score: each.score + (stops[i] ? NOT_THERE : 0), isFinished: false }))
      .sort((a, b) => b.score - a.score)
      .slice(0, count)
    const ended = top.map((each, rank) => ({
      ids: each.ids,
      score: each.score / length ** lengthPenalty + (stops[rank] && rank < count ? 0 : NOT_THERE),
      isFinished: stops[rank] === true && rank < count,
    }))
    finished = [...finished, ...ended].sort((a, b) => b.score - a.score).slice(0, count)
    const hoped = earlyStopping === 'never' && lengthPenalty > 0 ? room : length
    const best = (running[0]?.score ?? NOT_THERE) / hoped ** lengthPenalty
    const worst = finished.every((slot) => slot.isFinished) ? Math.min(...finished.map(({ score }) => score)) : NOT_THERE
    canImprove = best > worst
  }
  return finished.filter((slot) => slot.isFinished).map(({ ids, score }) => ({ ids, score }))
}
