/**
 * A grammar as a network of states over bytes: edges that read a byte, edges that call a rule and come back, and edges that cost nothing. What leads
 * nowhere is removed, so that whoever walks the network never has to turn back.
 */
import { ConstraintError } from '../errors.ts'
import type { Expression, Grammar } from './expression.ts'
import { utf8Sequences } from './utf8-ranges.ts'

export interface NetworkState {
  readonly bytes: readonly { readonly low: number; readonly high: number; readonly to: number }[]
  readonly calls: readonly { readonly start: number; readonly to: number }[]
  readonly free: readonly number[]
  /** Whether a rule ends here. Such a state has no edges. */
  readonly isEnd: boolean
}

export interface GrammarNetwork {
  readonly states: readonly NetworkState[]
  readonly start: number
}

/** Bounds what a small grammar can ask for: (((a{1000}){1000}){1000}) is three thousand states, a text of a million letters is refused. */
const MAX_STATES = 200_000

/** No text fulfils a grammar. */
export class UnfulfillableError extends ConstraintError {}

interface MutableState {
  bytes: { low: number; high: number; to: number }[]
  calls: { rule: string; start: number; to: number }[]
  free: number[]
  isEnd: boolean
}

interface RuleEnds {
  readonly start: number
  readonly end: number
}

/**
 * @param name  of the constraint, for errors
 * @throws {ConstraintError} for a rule that is missing or begins with itself, a grammar that nothing matches, or one that is too large
 */
export function grammarNetwork(name: string, grammar: Grammar): GrammarNetwork {
  const states: MutableState[] = []
  const rules = new Map<string, RuleEnds>()
  const expressions = new Map(grammar.rules)
  const waiting: string[] = []
  const addState = (isEnd = false): number => {
    if (states.length === MAX_STATES)
      throw new ConstraintError({ field: name, found: `more than ${MAX_STATES} states`, expected: 'a smaller grammar' })
    states.push({ bytes: [], calls: [], free: [], isEnd })
    return states.length - 1
  }
  const stateAt = (index: number): MutableState => states[index] ?? { bytes: [], calls: [], free: [], isEnd: false }
  const endsOf = (ruleName: string): RuleEnds => {
    const known = rules.get(ruleName)
    if (known !== undefined) return known
    if (!expressions.has(ruleName))
      throw new ConstraintError({
        field: name,
        found: `no rule ${JSON.stringify(ruleName)}`,
        expected: 'a definition of each rule that is used',
      })
    const ends = { start: addState(), end: addState(true) }
    rules.set(ruleName, ends)
    waiting.push(ruleName)
    return ends
  }
  /** Copies of a large part share one rule. */
  const shared = (part: Expression): Expression => {
    if (part.kind === 'rule' || part.kind === 'byte') return part
    const ruleName = `(part ${expressions.size})`
    expressions.set(ruleName, part)
    return { kind: 'rule', name: ruleName }
  }

  const connect = (expression: Expression, from: number, to: number): void => {
    switch (expression.kind) {
      case 'byte':
        stateAt(from).bytes.push({ low: expression.low, high: expression.high, to })
        return
      case 'character':
        for (const bytes of utf8Sequences(expression.ranges)) connectBytes(bytes, from, to)
        return
      case 'text':
        connectBytes(
          Array.from(new TextEncoder().encode(expression.text), (byte) => [byte, byte] as const),
          from,
          to,
        )
        return
      case 'sequence': {
        let at = from
        for (const [i, part] of expression.parts.entries()) {
          const next = i === expression.parts.length - 1 ? to : addState()
          connect(part, at, next)
          at = next
        }
        if (expression.parts.length === 0) stateAt(from).free.push(to)
        return
      }
      case 'choice':
        for (const part of expression.parts) connect(part, from, to)
        return
      case 'repeat':
        connectRepeat(expression, from, to)
        return
      case 'rule': {
        const { start } = endsOf(expression.name)
        stateAt(from).calls.push({ rule: expression.name, start, to })
      }
    }
  }
  const connectBytes = (bytes: readonly (readonly [number, number])[], from: number, to: number): void => {
    let at = from
    for (const [i, [low, high]] of bytes.entries()) {
      const next = i === bytes.length - 1 ? to : addState()
      stateAt(at).bytes.push({ low, high, to: next })
      at = next
    }
    if (bytes.length === 0) stateAt(from).free.push(to)
  }
  const connectRepeat = ({ part, least, most }: Extract<Expression, { kind: 'repeat' }>, from: number, to: number): void => {
    const copies = most === Number.POSITIVE_INFINITY ? least + 1 : most
    const each = copies > 2 ? shared(part) : part
    let at = addState()
    stateAt(from).free.push(at)
    for (let i = 0; i < least; i++) {
      const next = addState()
      connect(each, at, next)
      at = next
    }
    if (most === Number.POSITIVE_INFINITY) {
      // the loop has a state of its own, into which nothing else of the part's surroundings leads
      const loop = addState()
      stateAt(at).free.push(loop)
      connect(each, loop, loop)
      at = loop
    } else {
      for (let i = least; i < most; i++) {
        const next = addState()
        stateAt(at).free.push(to)
        connect(each, at, next)
        at = next
      }
    }
    stateAt(at).free.push(to)
  }

  const { start } = endsOf(grammar.root)
  for (let ruleName = waiting.pop(); ruleName !== undefined; ruleName = waiting.pop()) {
    const ends = rules.get(ruleName)
    const expression = expressions.get(ruleName)
    if (ends !== undefined && expression !== undefined) connect(expression, ends.start, ends.end)
  }
  prune(name, grammar, states, rules)
  refuseLeftRecursion(name, states, rules)
  return { states, start }
}

/** Removes the edges from which no end can be reached. */
function prune(name: string, { root }: Grammar, states: MutableState[], rules: ReadonlyMap<string, RuleEnds>): void {
  const productive = reaches(
    states,
    states.flatMap((state, i) => (state.isEnd ? [i] : [])),
    rules,
    'all',
  )
  const start = rules.get(root)?.start ?? 0
  if (!productive.has(start))
    throw new UnfulfillableError({ field: name, found: 'rules that no text fulfils', expected: 'at least one text' })
  for (const state of states) {
    state.bytes = state.bytes.filter(({ to }) => productive.has(to))
    state.calls = state.calls.filter((call) => productive.has(call.start) && productive.has(call.to))
    state.free = state.free.filter((to) => productive.has(to))
  }
}

/** The states from which an end is reached: by all edges, or by those that read nothing. A call counts once its rule does. */
function reaches(
  states: readonly MutableState[],
  ends: readonly number[],
  rules: ReadonlyMap<string, RuleEnds>,
  by: 'all' | 'free',
): Set<number> {
  const before = states.map((): number[] => [])
  const callersOf = new Map<number, { from: number; to: number }[]>()
  for (const [from, { bytes, calls, free }] of states.entries()) {
    for (const to of free) before[to]?.push(from)
    if (by === 'all') for (const { to } of bytes) before[to]?.push(from)
    for (const { start, to } of calls) {
      before[to]?.push(from)
      const callers = callersOf.get(start)
      if (callers === undefined) callersOf.set(start, [{ from, to }])
      else callers.push({ from, to })
    }
  }
  const starts = new Set([...rules.values()].map(({ start }) => start))
  const reached = new Set(ends)
  const queue = [...ends]
  const add = (state: number) => {
    if (reached.has(state)) return
    reached.add(state)
    queue.push(state)
  }
  const hasEdgeTo = (from: number, to: number): boolean => {
    const state = states[from]
    if (state === undefined) return false
    if (state.free.includes(to) || (by === 'all' && state.bytes.some((edge) => edge.to === to))) return true
    return state.calls.some((call) => call.to === to && reached.has(call.start))
  }
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const from of before[at] ?? []) if (!reached.has(from) && hasEdgeTo(from, at)) add(from)
    if (starts.has(at)) for (const { from, to } of callersOf.get(at) ?? []) if (reached.has(to)) add(from)
  }
  return reached
}

/** A rule that can call itself before it has read a byte would be followed for ever. */
function refuseLeftRecursion(name: string, states: readonly MutableState[], rules: ReadonlyMap<string, RuleEnds>): void {
  const nullable = reaches(
    states,
    [...rules.values()].map(({ end }) => end),
    rules,
    'free',
  )
  const firstCalls = (start: number): Set<string> => {
    const called = new Set<string>()
    const seen = new Set([start])
    const queue = [start]
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const next = [...(states[at]?.free ?? [])]
      for (const call of states[at]?.calls ?? []) {
        called.add(call.rule)
        if (nullable.has(call.start)) next.push(call.to)
      }
      for (const state of next) {
        if (seen.has(state)) continue
        seen.add(state)
        queue.push(state)
      }
    }
    return called
  }
  const calls = new Map([...rules].map(([rule, { start }]) => [rule, firstCalls(start)]))
  const finished = new Set<string>()
  for (const first of rules.keys()) {
    // depth first, without recursion: a grammar may be deep
    const path: { rule: string; next: Iterator<string> }[] = []
    const onPath = new Set<string>()
    const enter = (rule: string) => {
      path.push({ rule, next: (calls.get(rule) ?? new Set<string>()).values() })
      onPath.add(rule)
    }
    if (!finished.has(first)) enter(first)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value } = top.next.next()
      if (done) {
        finished.add(top.rule)
        onPath.delete(top.rule)
        path.pop()
      } else if (onPath.has(value)) {
        const expected = 'rules that read something before they call themselves'
        throw new ConstraintError({ field: name, found: `rule ${JSON.stringify(value)}, which begins with itself`, expected })
      } else if (!finished.has(value)) enter(value)
    }
  }
}
