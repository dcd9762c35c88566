/**
 * The truncation rules as transformers' warpers do them, by sorting: each takes scores, makes probabilities of what is left, and
 * sets to -Infinity what goes. Temperature, top-k, top-p, min-p, typical.
 */
export interface Truncation {
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
}

/** Ids in ascending order. */
export function keptBySorting(logits: ArrayLike<number>, { temperature = 1, topK, topP, minP, typicalP }: Truncation): number[] {
  let scores = Array.from(logits, (x) => x / temperature)
  if (topK !== undefined) {
    const kth = [...scores].sort((a, b) => b - a)[Math.min(topK, scores.length) - 1] ?? 0
    scores = scores.map((x) => (x < kth ? Number.NEGATIVE_INFINITY : x))
  }
  if (topP !== undefined) {
    const p = softmaxOf(scores)
    let before = 0
    const kept = new Set<number>()
    for (const i of descending(scores)) {
      if (before < topP) kept.add(i)
      before += p[i] ?? 0
    }
    scores = scores.map((x, i) => (kept.has(i) ? x : Number.NEGATIVE_INFINITY))
  }
  if (minP !== undefined) {
    const p = softmaxOf(scores)
    const limit = minP * Math.max(...p)
    scores = scores.map((x, i) => ((p[i] ?? 0) < limit ? Number.NEGATIVE_INFINITY : x))
  }
  if (typicalP !== undefined) {
    const p = softmaxOf(scores)
    const entropy = p.reduce((sum, each) => (each > 0 ? sum - each * Math.log(each) : sum), 0)
    const shift = p.map((each) => Math.abs(-Math.log(each) - entropy))
    const order = shift.map((_, i) => i).sort((a, b) => (shift[a] ?? 0) - (shift[b] ?? 0))
    let sum = 0
    let limit = 0
    for (const i of order) {
      sum += p[i] ?? 0
      limit = shift[i] ?? 0
      if (sum >= typicalP) break
    }
    // Equal scores have equal shifts here; a hair of tolerance keeps them together.
    scores = scores.map((x, i) => ((shift[i] ?? 0) > limit + 1e-12 ? Number.NEGATIVE_INFINITY : x))
  }
  return scores.flatMap((x, i) => (x === Number.NEGATIVE_INFINITY ? [] : [i]))
}

export function softmaxOf(scores: readonly number[]): number[] {
  const max = Math.max(...scores)
  const terms = scores.map((x) => Math.exp(x - max))
  const sum = terms.reduce((a, b) => a + b, 0)
  return terms.map((term) => term / sum)
}

function descending(scores: readonly number[]): number[] {
  return scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
}
