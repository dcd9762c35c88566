/**
 * A suffix automaton (Blumer et al. 1985): the smallest automaton that accepts every part of a growing text. A state is a set of parts that end at
 * the same places; its link leads to the longest part that also ends elsewhere. So the state of the whole text links to the longest end of the
 * text that has occurred before, which is what a drafter looks for. Appending a token takes constant time on average; at most two states a token.
 */

export interface SuffixAutomaton {
  /** Number of tokens. */
  readonly length: number
  /** The tokens; valid until the next one is appended. */
  readonly tokens: Int32Array
  append(token: number): void
  /** The longest end of the text that also ends earlier, and the latest of these ends that is known. */
  repeated(): SuffixMatch
  /** The match of another text after one more token of it: its longest end that is a part of this text. Begin with `NO_MATCH`. */
  follow(match: SuffixMatch, token: number): SuffixMatch
}

export interface SuffixMatch {
  readonly state: number
  /** Length of the match. */
  readonly matched: number
  /** Index behind the occurrence. */
  readonly end: number
}

export const NO_MATCH: SuffixMatch = { state: 0, matched: 0, end: 0 }

/** Links whose latest end is brought up to date by an append; longer chains come from runs of one token. */
const MOST_UPDATES = 32
/** Above all token ids. */
const TOKENS = 2 ** 22

export function createSuffixAutomaton(): SuffixAutomaton {
  const text: number[] = []
  // by state
  const longest = [0]
  const links = [-1]
  const ends = [0]
  const successors: number[][] = [[]]
  const targets = new Map<number, number>()
  let last = 0
  let repeatedEnd = 0
  const targetOf = (state: number, token: number) => targets.get(state * TOKENS + token)
  const addState = (length: number, end: number, tokens: number[]) => {
    longest.push(length)
    links.push(-1)
    ends.push(end)
    successors.push(tokens)
    return longest.length - 1
  }
  const connect = (state: number, token: number, target: number) => {
    if (targetOf(state, token) === undefined) successors[state]?.push(token)
    targets.set(state * TOKENS + token, target)
  }
  const clone = (state: number, length: number) => {
    const copy = addState(length, ends[state] ?? 0, [...(successors[state] ?? [])])
    for (const token of successors[state] ?? []) targets.set(copy * TOKENS + token, targetOf(state, token) ?? 0)
    links[copy] = links[state] ?? -1
    links[state] = copy
    return copy
  }
  /** The state that the new one links to, when `state` has a transition by the token already. */
  const linkFrom = (state: number, token: number) => {
    const target = targetOf(state, token) ?? 0
    const length = (longest[state] ?? 0) + 1
    if (longest[target] === length) return target
    const copy = clone(target, length)
    for (let from = state; from >= 0 && targetOf(from, token) === target; from = links[from] ?? -1) connect(from, token, copy)
    return copy
  }
  return {
    get length() {
      return text.length
    },
    get tokens() {
      return Int32Array.from(text)
    },
    append(token) {
      text.push(token)
      const state = addState(text.length, text.length, [])
      let from = last
      while (from >= 0 && targetOf(from, token) === undefined) {
        connect(from, token, state)
        from = links[from] ?? -1
      }
      const link = from < 0 ? 0 : linkFrom(from, token)
      links[state] = link
      last = state
      repeatedEnd = ends[link] ?? 0
      for (let each = link, updates = 0; each > 0 && updates < MOST_UPDATES; each = links[each] ?? -1, updates++) ends[each] = text.length
    },
    repeated() {
      const state = Math.max(0, links[last] ?? 0)
      return { state, matched: longest[state] ?? 0, end: repeatedEnd }
    },
    follow({ state, matched }, token) {
      let [at, length] = [state, matched]
      while (at > 0 && targetOf(at, token) === undefined) {
        at = links[at] ?? 0
        length = longest[at] ?? 0
      }
      const target = targetOf(at, token)
      return target === undefined ? NO_MATCH : { state: target, matched: length + 1, end: ends[target] ?? 0 }
    },
  }
}
