import type { MergeTable } from './merge-table.ts'

/**
 * The merging of byte-pair encoding (Sennrich et al. 2016): the adjacent pair of lowest rank, leftmost first, becomes one symbol, until
 * no pair is in the table. Two ways with the same result: a scan per merge for the short pieces that text consists of, and a heap
 * over a linked list for long ones, O(n log n), without which a megabyte of one letter would take hours.
 */
export function mergeSymbols(symbols: number[], table: MergeTable): number[] {
  return symbols.length <= LONGEST_SCANNED ? mergeByScanning(symbols, table) : mergeByHeap(symbols, table)
}

const LONGEST_SCANNED = 48

/** Changes `symbols` in place. */
export function mergeByScanning(symbols: number[], table: MergeTable): number[] {
  // Slot of the pair (i, i + 1), kept so that a merge looks up its two new neighbours only.
  const slots: number[] = []
  for (let i = 0; i + 1 < symbols.length; i++) slots.push(table.find(symbols[i] ?? 0, symbols[i + 1] ?? 0))
  for (;;) {
    let best = -1
    let bestRank = 0
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] ?? -1
      if (slot < 0) continue
      const rank = table.rankAt(slot)
      if (best < 0 || rank < bestRank) {
        best = i
        bestRank = rank
      }
    }
    if (best < 0) return symbols
    symbols[best] = table.resultAt(slots[best] ?? 0)
    symbols.splice(best + 1, 1)
    slots.splice(best, 1)
    if (best > 0) slots[best - 1] = table.find(symbols[best - 1] ?? 0, symbols[best] ?? 0)
    if (best < slots.length) slots[best] = table.find(symbols[best] ?? 0, symbols[best + 1] ?? 0)
  }
}

const POSITION_RANGE = 2 ** 30

/** Each entry of the heap is rank * 2^30 + position, so the order of numbers is the order of merges. */
export function mergeByHeap(symbols: readonly number[], table: MergeTable): number[] {
  const count = symbols.length
  const ids = Int32Array.from(symbols)
  const next = new Int32Array(count)
  const previous = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    next[i] = i + 1
    previous[i] = i - 1
  }
  const heap = makeHeap(count)
  const offer = (position: number) => {
    const right = next[position] ?? count
    if (right >= count) return
    const slot = table.find(ids[position] ?? 0, ids[right] ?? 0)
    if (slot >= 0) heap.push(table.rankAt(slot) * POSITION_RANGE + position)
  }
  for (let i = 0; i + 1 < count; i++) offer(i)
  for (let entry = heap.pop(); entry >= 0; entry = heap.pop()) {
    const rank = Math.floor(entry / POSITION_RANGE)
    const position = entry - rank * POSITION_RANGE
    const left = ids[position] ?? -1
    const right = next[position] ?? count
    if (left < 0 || right >= count) continue
    const slot = table.find(left, ids[right] ?? 0)
    // An entry is stale when the pair at its position has changed since.
    if (slot < 0 || table.rankAt(slot) !== rank) continue
    ids[position] = table.resultAt(slot)
    ids[right] = -1
    const after = next[right] ?? count
    next[position] = after
    if (after < count) previous[after] = position
    const before = previous[position] ?? -1
    if (before >= 0) offer(before)
    offer(position)
  }
  const merged: number[] = []
  for (let i = 0; i < count; i = next[i] ?? count) merged.push(ids[i] ?? 0)
  return merged
}

interface NumberHeap {
  push(value: number): void
  /** The smallest value, or -1 when there is none. */
  pop(): number
}

function makeHeap(capacity: number): NumberHeap {
  let values = new Float64Array(capacity + 16)
  let size = 0
  return {
    push(value) {
      if (size === values.length) {
        const larger = new Float64Array(size * 2)
        larger.set(values)
        values = larger
      }
      let at = size++
      while (at > 0) {
        const parent = (at - 1) >> 1
        const above = values[parent] ?? 0
        if (above <= value) break
        values[at] = above
        at = parent
      }
      values[at] = value
    },
    pop() {
      if (size === 0) return -1
      const top = values[0] ?? -1
      const last = values[--size] ?? 0
      let at = 0
      for (;;) {
        let child = at * 2 + 1
        if (child >= size) break
        if (child + 1 < size && (values[child + 1] ?? 0) < (values[child] ?? 0)) child++
        const below = values[child] ?? 0
        if (below >= last) break
        values[at] = below
        at = child
      }
      values[at] = last
      return top
    },
  }
}
