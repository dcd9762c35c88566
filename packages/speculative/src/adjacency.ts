/** For every token those that the model ranked highest after it, when it was last seen: the memory of Token Recycling. */
import { ArgumentError, topK } from '@foretoken/tensor'

/** As it is stored. */
export interface AdjacencySnapshot {
  readonly vocab: number
  /** Followers of each token. */
  readonly width: number
  /** [vocab, width] ids, best first; -1 where nothing is known. */
  readonly followers: Int32Array
}

export interface Adjacency {
  readonly vocab: number
  /** [width] a view. */
  followersOf(token: number): Int32Array
  /** Replaces the followers of a token by the best of a row of logits. */
  learn(token: number, logits: Float32Array): void
  /** A text had this follower: it becomes the first. */
  see(token: number, follower: number): void
  /** A copy. */
  snapshot(): AdjacencySnapshot
}

/** @throws {ArgumentError} for a snapshot that contradicts itself or is of another size */
export function createAdjacency(vocab: number, width: number, snapshot?: AdjacencySnapshot): Adjacency {
  if (snapshot !== undefined) checkSnapshot(snapshot, vocab, width)
  const followers = snapshot?.followers.slice() ?? new Int32Array(vocab * width).fill(-1)
  const followersOf = (token: number) => followers.subarray(token * width, (token + 1) * width)
  return {
    vocab,
    followersOf,
    learn(token, logits) {
      followersOf(token).set(topK(logits, width).indices)
    },
    see(token, follower) {
      const own = followersOf(token)
      const at = own.indexOf(follower)
      own.copyWithin(1, 0, at < 0 ? width - 1 : at)
      own[0] = follower
    },
    snapshot: () => ({ vocab, width, followers: followers.slice() }),
  }
}

function checkSnapshot(snapshot: AdjacencySnapshot, vocab: number, width: number): void {
  const refuse = (field: string, found: string, expected: string) => {
    throw new ArgumentError({ field: `adjacency.${field}`, found, expected })
  }
  if (snapshot.vocab !== vocab) refuse('vocab', `${snapshot.vocab}`, `${vocab}, the model's`)
  if (snapshot.width !== width) refuse('width', `${snapshot.width}`, `${width}`)
  if (snapshot.followers.length !== vocab * width) refuse('followers', `${snapshot.followers.length} ids`, `${vocab * width}`)
  const wrong = snapshot.followers.find((id) => id < -1 || id >= vocab)
  if (wrong !== undefined) refuse('followers', `${wrong}`, `ids below ${vocab}, or -1`)
}
