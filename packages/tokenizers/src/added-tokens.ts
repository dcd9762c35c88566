/**
 * Tokens that are found in the text before the model sees it: special tokens and others that were added to the vocabulary. Found by one
 * walk over a trie, longest first; a set of first characters lets the engine skip ordinary text.
 */
export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
  /** Sought in the normalised text instead of the text as written. */
  readonly normalized: boolean
  /** Takes the white space before it along. */
  readonly lstrip: boolean
  /** Takes the white space after it along. */
  readonly rstrip: boolean
  /** Not inside of a word. */
  readonly singleWord: boolean
}

/** A place where a token was found; [start, end) includes the white space that it takes along. */
export interface AddedTokenMatch {
  readonly token: AddedToken
  readonly start: number
  readonly end: number
}

export interface AddedTokenMatcher {
  /**
   * @param isAllowed  asked for the bare place of a special token; a place that is not allowed is passed over as ordinary text
   */
  findAll(text: string, isAllowed: (start: number, end: number) => boolean): AddedTokenMatch[]
}

interface TrieNode {
  readonly children: Map<number, TrieNode>
  token?: AddedToken
}

/** @param patterns  what to look for, per token: its content, or its content normalised */
export function makeAddedTokenMatcher(patterns: ReadonlyMap<string, AddedToken>): AddedTokenMatcher | undefined {
  const root: TrieNode = { children: new Map() }
  for (const [pattern, token] of patterns) insert(root, pattern, token)
  if (root.children.size === 0) return undefined
  const firsts = [...root.children.keys()].map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
  const first = new RegExp(`[${firsts.join('')}]`, 'g')

  return {
    findAll(text, isAllowed) {
      const matches: AddedTokenMatch[] = []
      let from = 0
      first.lastIndex = 0
      for (let hit = first.exec(text); hit !== null; hit = first.exec(text)) {
        const start = hit.index
        const found = longestAt(root, text, start, isAllowed)
        if (found === undefined) continue
        const { token, end } = found
        if (token.singleWord && (isWord(text, start, -1) || isWord(text, end, 1))) {
          // As in the reference, what was found is passed over whole; no shorter token is sought inside of it.
          first.lastIndex = end
          continue
        }
        const before = token.lstrip ? startOfSpaces(text, start, from) : start
        const after = token.rstrip ? endOfSpaces(text, end) : end
        matches.push({ token, start: before, end: after })
        from = after
        first.lastIndex = after
      }
      return matches
    },
  }
}

function insert(root: TrieNode, pattern: string, token: AddedToken): void {
  let node = root
  for (let i = 0; i < pattern.length; i++) {
    const unit = pattern.charCodeAt(i)
    let below = node.children.get(unit)
    if (below === undefined) {
      below = { children: new Map() }
      node.children.set(unit, below)
    }
    node = below
  }
  if (node !== root) node.token = token
}

function longestAt(
  root: TrieNode,
  text: string,
  start: number,
  isAllowed: (start: number, end: number) => boolean,
): { token: AddedToken; end: number } | undefined {
  let node: TrieNode | undefined = root
  let found: { token: AddedToken; end: number } | undefined
  for (let end = start; end < text.length; ) {
    node = node.children.get(text.charCodeAt(end++))
    if (node === undefined) break
    const { token } = node
    if (token === undefined || (token.special && !isAllowed(start, end))) continue
    found = { token, end }
  }
  return found
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u

/** Whether the character before (-1) or after (1) a position is part of a word. */
function isWord(text: string, at: number, direction: 1 | -1): boolean {
  const beside = direction === 1 ? text.slice(at, at + 2) : text.slice(Math.max(0, at - 2), at)
  const character = direction === 1 ? [...beside][0] : [...beside].at(-1)
  return character !== undefined && WORD.test(character)
}

const WHITE_SPACE = /\p{White_Space}/u

function startOfSpaces(text: string, from: number, least: number): number {
  let at = from
  while (at > least && WHITE_SPACE.test(text.charAt(at - 1))) at--
  return at
}

function endOfSpaces(text: string, from: number): number {
  let at = from
  while (at < text.length && WHITE_SPACE.test(text.charAt(at))) at++
  return at
}
