/**
 * Long runs of combining marks, put into canonical order before a normalisation form is asked for. The engines' normalisers insert each
 * mark where it belongs among those before it, which takes quadratic time: minutes for a megabyte of two alternating marks.
 * Canonical order is a stable sort by combining class, so sorting first changes nothing and takes linear time. JavaScript does not
 * tell the class of a mark, but it shows in which order it puts two of them.
 */
export function orderLongMarkRuns(text: string): string {
  return FLOOD.test(text) ? text.replaceAll(FLOODS, orderRun) : text
}

const FLOOD = /\p{M}{256}/u
const FLOODS = /\p{M}{256,}/gu

function orderRun(run: string): string {
  const ranks = rankMarks(new Set(run))
  const ordered: string[] = []
  let buckets: string[][] = []
  const close = () => {
    for (const bucket of buckets) if (bucket !== undefined) ordered.push(bucket.join(''))
    buckets = []
  }
  for (const mark of run) {
    const rank = ranks.get(mark)
    if (rank === undefined) {
      close()
      ordered.push(mark)
      continue
    }
    const bucket = buckets[rank] ?? []
    buckets[rank] = bucket
    bucket.push(mark)
  }
  close()
  return ordered.join('')
}

/** The rank of each mark's combining class among the given marks; those that are never reordered, or stand for two marks, have none. */
function rankMarks(marks: ReadonlySet<string>): Map<string, number> {
  const movable = [...marks].filter((mark) => [...mark.normalize('NFD')].length === 1 && isMovable(mark)).sort(compareClasses)
  const ranks = new Map<string, number>()
  let rank = 0
  for (const [i, mark] of movable.entries()) {
    if (i > 0 && compareClasses(movable[i - 1] ?? '', mark) !== 0) rank++
    ranks.set(mark, rank)
  }
  return ranks
}

// The iota below has the highest class of all, the tilde overlay the lowest: whatever moves at all changes places with one of them.
const IOTA = '\u0345'
const OVERLAY = '\u0334'

function isMovable(mark: string): boolean {
  return compareClasses(mark, IOTA) !== 0 || compareClasses(mark, OVERLAY) !== 0
}

function compareClasses(one: string, other: string): number {
  if (swaps(one, other)) return 1
  return swaps(other, one) ? -1 : 0
}

/** Whether canonical order turns two marks round. */
function swaps(first: string, second: string): boolean {
  const [one, other] = [first.normalize('NFD'), second.normalize('NFD')]
  return one !== other && (one + other).normalize('NFD') === other + one
}
