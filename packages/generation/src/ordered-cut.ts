/**
 * Finds where a list, taken in ascending order of its keys, reaches a given weight, without sorting the list: weights are summed
 * per interval of keys, the interval in which the target is reached is divided again, and only the last few elements are sorted.
 * Two passes over the list are typical. Top-k is the case of unit weights, top-p that of probabilities.
 */

const INTERVALS = 512
/** So many elements are sorted rather than divided again. */
const SORTED = 64

/** The last element taken. Elements before it in (key, index) order are taken too. */
export interface Cut {
  key: number
  index: number
}

export interface OrderedCut {
  /**
   * @param keys     [count] finite numbers >= 0
   * @param weights  [count] numbers >= 0; 1 each when absent
   * @param target   the weight to reach; when the list has less, the cut is its last element
   * @returns        the cut, overwritten by the next call
   */
  find(keys: Float64Array, weights: Float64Array | undefined, count: number, target: number): Readonly<Cut>
}

export function createOrderedCut(capacity: number): OrderedCut {
  const sums = new Float64Array(INTERVALS)
  const active = new Int32Array(capacity)
  const cut: Cut = { key: 0, index: -1 }

  function divide(keys: Float64Array, weights: Float64Array | undefined, live: number, low: number, scale: number, wanted: number) {
    sums.fill(0)
    for (let a = 0; a < live; a++) {
      const i = active[a] ?? 0
      const interval = intervalOf(keys[i] ?? 0, low, scale)
      sums[interval] = (sums[interval] ?? 0) + (weights === undefined ? 1 : (weights[i] ?? 0))
    }
    // When rounding leaves the target unreached by a hair, the last interval with weight is the one.
    let before = 0
    let chosen = -1
    let sum = 0
    for (let interval = 0; interval < INTERVALS && sum < wanted; interval++) {
      const weight = sums[interval] ?? 0
      if (weight === 0) continue
      chosen = interval
      before = sum
      sum += weight
    }
    return { before, chosen }
  }

  return {
    find(keys, weights, count, target) {
      let live = count
      let wanted = target
      for (let i = 0; i < count; i++) active[i] = i
      for (;;) {
        let low = Number.POSITIVE_INFINITY
        let high = Number.NEGATIVE_INFINITY
        for (let a = 0; a < live; a++) {
          const key = keys[active[a] ?? 0] ?? 0
          if (key < low) low = key
          if (key > high) high = key
        }
        const scale = INTERVALS / (high - low)
        if (live <= SORTED || !Number.isFinite(scale)) break
        const { before, chosen } = divide(keys, weights, live, low, scale, wanted)
        if (chosen < 0) break
        wanted -= before
        let next = 0
        for (let a = 0; a < live; a++) {
          const i = active[a] ?? 0
          if (intervalOf(keys[i] ?? 0, low, scale) === chosen) active[next++] = i
        }
        live = next
      }
      takeInOrder(keys, weights, active.subarray(0, live), wanted, cut)
      return cut
    },
  }
}

function intervalOf(key: number, low: number, scale: number): number {
  const interval = ((key - low) * scale) | 0
  return interval < INTERVALS ? interval : INTERVALS - 1
}

function takeInOrder(keys: Float64Array, weights: Float64Array | undefined, active: Int32Array, wanted: number, cut: Cut): void {
  active.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b)
  let sum = 0
  for (const i of active) {
    cut.key = keys[i] ?? 0
    cut.index = i
    sum += weights === undefined ? 1 : (weights[i] ?? 0)
    if (sum >= wanted) return
  }
}
