/**
 * For every token, and for pairs of tokens, those that the model ranked highest after it when it was last seen, and by how much: the memory of Token
 * Recycling. A pair says more than its last token, and is known more rarely. Memory: 8 bytes for each follower of a token or pair; of pairs the oldest
 * make room for new ones.
 */
import { ArgumentError } from '@foretoken/tensor'

/** Followers by row, best first. */
export interface FollowerRows {
  /** [rows, width] ids, -1 where nothing is known. */
  readonly followers: Int32Array
  /** [rows, width] logits below that of the best, so 0 or less. */
  readonly scores: Float32Array
}

/** As it is stored. */
export interface AdjacencySnapshot extends FollowerRows {
  readonly vocab: number
  /** Followers of each token. */
  readonly width: number
  /** Rows of pairs of tokens, oldest first; `pairs` are `previous * vocab + token`. */
  readonly bigrams: FollowerRows & { readonly pairs: Float64Array }
}

export interface Followers {
  /** [width] views. */
  readonly followers: Int32Array
  readonly scores: Float32Array
  /** Whether they are of the pair of tokens. */
  readonly isOfPair: boolean
}

export interface Adjacency {
  readonly vocab: number
  /** What follows a token, given the one before it where that pair is known. */
  after(previous: number, token: number): Followers
  /** Replaces the followers of a token, and of the pair, by the best of a row of logits. */
  learn(previous: number, token: number, logits: Float32Array): void
  /** The same of a token alone, when nothing is known of it: for rows whose text did not come true. */
  learnUnknown(token: number, logits: Float32Array): void
  /** A text had this follower: it becomes the token's first. */
  see(token: number, follower: number): void
  /** A copy. */
  snapshot(): AdjacencySnapshot
}

/** Logits that a follower lies above the next one when a text had it and no row said by how much. */
const SEEN_MARGIN = 1

/**
 * @param mostPairs  0: tokens alone
 * @throws {ArgumentError} for a snapshot that contradicts itself or is of another size
 */
export function createAdjacency(vocab: number, width: number, mostPairs: number, snapshot?: AdjacencySnapshot): Adjacency {
  if (snapshot !== undefined) checkSnapshot(snapshot, vocab, width)
  const followers = snapshot?.followers.slice() ?? new Int32Array(vocab * width).fill(-1)
  const scores = snapshot?.scores.slice() ?? new Float32Array(vocab * width)
  const pairFollowers = new Int32Array(mostPairs * width)
  const pairScores = new Float32Array(mostPairs * width)
  const pairs = new Float64Array(mostPairs)
  const slots = new Map<number, number>()
  let next = 0
  const slotOf = (pair: number) => {
    const known = slots.get(pair)
    if (known !== undefined) return known
    const slot = next
    next = (next + 1) % mostPairs
    if (slots.size === mostPairs) slots.delete(pairs[slot] ?? -1)
    pairs[slot] = pair
    slots.set(pair, slot)
    return slot
  }
  if (snapshot !== undefined && mostPairs > 0) {
    const { bigrams } = snapshot
    for (let row = Math.max(0, bigrams.pairs.length - mostPairs); row < bigrams.pairs.length; row++) {
      const slot = slotOf(bigrams.pairs[row] ?? 0)
      pairFollowers.set(bigrams.followers.subarray(row * width, (row + 1) * width), slot * width)
      pairScores.set(bigrams.scores.subarray(row * width, (row + 1) * width), slot * width)
    }
  }
  const best = createBest(width)
  return {
    vocab,
    after(previous, token) {
      const slot = slots.get(previous * vocab + token)
      const [ids, values, row] = slot === undefined ? [followers, scores, token] : [pairFollowers, pairScores, slot]
      return {
        followers: ids.subarray(row * width, (row + 1) * width),
        scores: values.subarray(row * width, (row + 1) * width),
        isOfPair: slot !== undefined,
      }
    },
    learn(previous, token, logits) {
      best.read(logits)
      best.write(followers, scores, token)
      if (mostPairs > 0 && previous >= 0) best.write(pairFollowers, pairScores, slotOf(previous * vocab + token))
    },
    learnUnknown(token, logits) {
      if ((followers[token * width] ?? -1) >= 0) return
      best.read(logits)
      best.write(followers, scores, token)
    },
    see(token, follower) {
      const own = followers.subarray(token * width, (token + 1) * width)
      const ownScores = scores.subarray(token * width, (token + 1) * width)
      const at = own.indexOf(follower)
      if (at === 0) return
      const from = at < 0 ? width - 1 : at
      own.copyWithin(1, 0, from)
      ownScores.copyWithin(1, 0, from)
      own[0] = follower
      for (let i = 1; i < width; i++) if (i <= from || at < 0) ownScores[i] = (ownScores[i] ?? 0) - SEEN_MARGIN
      ownScores[0] = 0
    },
    snapshot() {
      const count = slots.size
      // the oldest pair is at `next` when all places are taken
      const order = Array.from({ length: count }, (_, i) => (count === mostPairs ? (next + i) % mostPairs : i))
      const rowsOf = <T extends Int32Array | Float32Array>(values: T, out: T): T => {
        for (const [row, slot] of order.entries()) out.set(values.subarray(slot * width, (slot + 1) * width), row * width)
        return out
      }
      return {
        vocab,
        width,
        followers: followers.slice(),
        scores: scores.slice(),
        bigrams: {
          pairs: Float64Array.from(order, (slot) => pairs[slot] ?? 0),
          followers: rowsOf(pairFollowers, new Int32Array(count * width)),
          scores: rowsOf(pairScores, new Float32Array(count * width)),
        },
      }
    },
  }
}

/** The best of a row, in one pass: nearly every logit is compared with the worst of the best so far, and left. */
function createBest(width: number) {
  const ids = new Int32Array(width)
  const values = new Float32Array(width)
  return {
    read(logits: Float32Array) {
      ids.fill(-1)
      values.fill(Number.NEGATIVE_INFINITY)
      let worst = Number.NEGATIVE_INFINITY
      for (let token = 0; token < logits.length; token++) {
        const value = logits[token] ?? 0
        if (!(value > worst)) continue
        let at = width - 1
        for (; at > 0 && value > (values[at - 1] ?? 0); at--) {
          values[at] = values[at - 1] ?? 0
          ids[at] = ids[at - 1] ?? 0
        }
        values[at] = value
        ids[at] = token
        worst = values[width - 1] ?? 0
      }
    },
    write(followers: Int32Array, scores: Float32Array, row: number) {
      followers.set(ids, row * width)
      const top = values[0] ?? 0
      for (let i = 0; i < width; i++) scores[row * width + i] = (ids[i] ?? -1) < 0 ? 0 : (values[i] ?? 0) - top
    },
  }
}

function checkSnapshot(snapshot: AdjacencySnapshot, vocab: number, width: number): void {
  const refuse = (field: string, found: string, expected: string) => {
    throw new ArgumentError({ field: `adjacency.${field}`, found, expected })
  }
  const { bigrams } = snapshot
  if (snapshot.vocab !== vocab) refuse('vocab', `${snapshot.vocab}`, `${vocab}, the model's`)
  if (snapshot.width !== width) refuse('width', `${snapshot.width}`, `${width}`)
  for (const [name, rows, { followers, scores }] of [
    ['', vocab, snapshot],
    ['bigrams.', bigrams.pairs.length, bigrams],
  ] as const) {
    if (followers.length !== rows * width) refuse(`${name}followers`, `${followers.length} ids`, `${rows * width}`)
    if (scores.length !== rows * width) refuse(`${name}scores`, `${scores.length} scores`, `${rows * width}`)
    const wrong = followers.find((id) => id < -1 || id >= vocab)
    if (wrong !== undefined) refuse(`${name}followers`, `${wrong}`, `ids below ${vocab}, or -1`)
    const wrongScore = scores.find((score) => !(score <= 0 && Number.isFinite(score)))
    if (wrongScore !== undefined) refuse(`${name}scores`, `${wrongScore}`, 'finite numbers of at most 0')
  }
  const wrong = bigrams.pairs.find((pair) => !(Number.isSafeInteger(pair) && pair >= 0 && pair < vocab * vocab))
  if (wrong !== undefined) refuse('bigrams.pairs', `${wrong}`, `whole numbers below ${vocab * vocab}`)
  if (new Set(bigrams.pairs).size < bigrams.pairs.length) refuse('bigrams.pairs', 'a pair twice', 'different pairs')
}
