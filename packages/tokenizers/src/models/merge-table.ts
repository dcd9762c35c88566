/**
 * Merges by their pair of ids, in open addressing over typed arrays: 16 bytes a slot, at least two slots a merge, and no allocation
 * when a pair is looked up, which happens several times for each character.
 */
export interface MergeTable {
  /** Slot of a pair, or -1. */
  find(left: number, right: number): number
  rankAt(slot: number): number
  resultAt(slot: number): number
}

/** A pair that becomes `result`; smaller ranks merge first. A pair that occurs twice has its last rank, as in the reference. */
export interface Merge {
  readonly left: number
  readonly right: number
  readonly result: number
  readonly rank: number
}

export function makeMergeTable(merges: readonly Merge[]): MergeTable {
  const capacity = 2 ** Math.ceil(Math.log2(merges.length * 2 + 2))
  const mask = capacity - 1
  const lefts = new Int32Array(capacity).fill(-1)
  const rights = new Int32Array(capacity)
  const ranks = new Int32Array(capacity)
  const results = new Int32Array(capacity)
  const home = (left: number, right: number) => {
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
    return (hash ^ (hash >>> 15)) & mask
  }
  for (const { left, right, result, rank } of merges) {
    let slot = home(left, right)
    while (lefts[slot] !== -1 && !(lefts[slot] === left && rights[slot] === right)) slot = (slot + 1) & mask
    lefts[slot] = left
    rights[slot] = right
    ranks[slot] = rank
    results[slot] = result
  }
  return {
    find(left, right) {
      let slot = home(left, right)
      for (;;) {
        const at = lefts[slot]
        if (at === -1) return -1
        if (at === left && rights[slot] === right) return slot
        slot = (slot + 1) & mask
      }
    },
    rankAt: (slot) => ranks[slot] ?? 0,
    resultAt: (slot) => results[slot] ?? 0,
  }
}
