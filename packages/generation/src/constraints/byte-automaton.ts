/**
 * Walks a grammar's network byte by byte. Where the walk may be is a set of stacks: the top is a state of the network, below it lie the states to
 * which open calls return. Stacks share what lies below, sets that are equal are one number, and a step that was made once is looked up, so that
 * in the long run a byte costs one read from a table. A call at the end of a rule leaves nothing on the stack: lists do not grow it.
 */
import { ConstraintError } from '../errors.ts'
import type { GrammarNetwork, NetworkState } from './grammar-network.ts'

export interface ByteAutomaton {
  readonly start: number
  /** The state after one more byte; `DEAD` where no text goes on with it. */
  step(state: number, byte: number): number
  /** Whether a text may end there. */
  mayEnd(state: number): boolean
  /** How many states are known so far. They are numbered from 0. */
  readonly size: number
}

export const DEAD = -1
const UNKNOWN = -2
const NO_STACK = -1
/** More ways to read one text than this are a mistake in the grammar. */
const MOST_STACKS = 5_000
/** Stacks on the way to one that reads. */
const MOST_SETTLED = 100_000
const STACKS = 2 ** 30

const NO_STATE: NetworkState = { bytes: [], calls: [], free: [], isEnd: false }

/** @param name  of the constraint, for errors */
export function byteAutomaton(name: string, { states, start: networkStart }: GrammarNetwork): ByteAutomaton {
  const stackStates: number[] = []
  const stackParents: number[] = []
  const stackIds = new Map<number, number>()
  const stackOf = (state: number, parent: number): number => {
    const key = state * STACKS + (parent + 1)
    const known = stackIds.get(key)
    if (known !== undefined) return known
    const id = stackStates.length
    stackStates.push(state)
    stackParents.push(parent)
    stackIds.set(key, id)
    return id
  }

  const tops: Int32Array[] = []
  const ends: boolean[] = []
  const tables: Int32Array[] = []
  const setIds = new Map<string, number>()

  /** The set of all stacks that are reached from these without reading. */
  const settle = (stacks: readonly number[]): number => {
    const seen = new Set(stacks)
    const reading: number[] = []
    const queue = [...seen]
    let mayEnd = false
    for (let stack = queue.pop(); stack !== undefined; stack = queue.pop()) {
      const parent = stackParents[stack] ?? NO_STACK
      const { bytes, calls, free, isEnd } = states[stackStates[stack] ?? 0] ?? NO_STATE
      if (bytes.length > 0) reading.push(stack)
      const next = free.map((to) => stackOf(to, parent))
      for (const call of calls) {
        const isLast = states[call.to]?.isEnd === true
        next.push(stackOf(call.start, isLast ? parent : stackOf(call.to, parent)))
      }
      if (isEnd && parent === NO_STACK) mayEnd = true
      else if (isEnd) next.push(parent)
      for (const each of next) {
        if (seen.has(each)) continue
        seen.add(each)
        queue.push(each)
      }
      if (reading.length > MOST_STACKS || seen.size > MOST_SETTLED) {
        const expected = 'a grammar with fewer of them'
        throw new ConstraintError({ field: name, found: `more than ${MOST_STACKS} ways to read one text`, expected })
      }
    }
    if (reading.length === 0 && !mayEnd) return DEAD
    reading.sort((a, b) => a - b)
    const key = `${mayEnd ? '.' : ''}${reading.join(' ')}`
    const known = setIds.get(key)
    if (known !== undefined) return known
    const id = tops.length
    setIds.set(key, id)
    tops.push(Int32Array.from(reading))
    ends.push(mayEnd)
    tables.push(new Int32Array(256).fill(UNKNOWN))
    return id
  }

  const makeStep = (state: number, byte: number): number => {
    const next: number[] = []
    for (const stack of tops[state] ?? []) {
      for (const { low, high, to } of states[stackStates[stack] ?? 0]?.bytes ?? []) {
        if (low <= byte && byte <= high) next.push(stackOf(to, stackParents[stack] ?? NO_STACK))
      }
    }
    return next.length === 0 ? DEAD : settle(next)
  }

  const start = settle([stackOf(networkStart, NO_STACK)])
  return {
    start,
    step(state, byte) {
      const table = tables[state]
      if (table === undefined) return DEAD
      const known = table[byte] ?? DEAD
      if (known !== UNKNOWN) return known
      const next = makeStep(state, byte)
      table[byte] = next
      return next
    },
    mayEnd: (state) => ends[state] ?? false,
    get size() {
      return tops.length
    },
  }
}
