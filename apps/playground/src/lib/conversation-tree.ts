/**
 * A conversation with branches. Every turn knows the turn before it; turns with the same parent are versions of each other, and one of
 * them is shown. Nothing is ever overwritten: editing a question and asking again for an answer add a turn beside the old one. The functions
 * return a new tree and leave the given one alone.
 */
import type { GenerationStatistics } from '@foretoken/generation'
import type { TokenRecord } from './token-record.ts'

export interface Turn {
  readonly id: string
  readonly parent: string | null
  readonly role: 'user' | 'assistant'
  readonly text: string
  /** Of an answer. */
  readonly tokens: readonly TokenRecord[]
  /** Why an answer ended; `stopped` by the user, `failed` by an error. */
  readonly ending?: TurnEnding
  /** Absent when the answer was stopped or failed. */
  readonly statistics?: GenerationStatistics
}

export type TurnEnding = 'stop-token' | 'stop-string' | 'length' | 'stopped' | 'failed'

export interface ConversationTree {
  /** In the order in which they were added; a parent stands before its children. */
  readonly turns: readonly Turn[]
  /** The child that is shown, by parent; where none is named, the last one. The root's key is an empty string. */
  readonly shown: Readonly<Record<string, string>>
}

export const EMPTY_TREE: ConversationTree = { turns: [], shown: {} }

/** The turns that are shown, first to last. */
export function shownPath(tree: ConversationTree): readonly Turn[] {
  const path: Turn[] = []
  let parent: string | null = null
  for (;;) {
    const children = versions(tree, parent)
    const chosen: string | undefined = tree.shown[parent ?? '']
    const turn: Turn | undefined = children.find(({ id }) => id === chosen) ?? children.at(-1)
    if (turn === undefined) return path
    path.push(turn)
    parent = turn.id
  }
}

/** The turns up to one and including it, first to last. */
export function pathTo(tree: ConversationTree, id: string): readonly Turn[] {
  const path: Turn[] = []
  for (let turn = turnOf(tree, id); turn !== undefined; turn = turn.parent === null ? undefined : turnOf(tree, turn.parent)) {
    path.unshift(turn)
  }
  return path
}

/** All turns with this parent, oldest first. */
export function versions(tree: ConversationTree, parent: string | null): readonly Turn[] {
  return tree.turns.filter((turn) => turn.parent === parent)
}

export function turnOf(tree: ConversationTree, id: string): Turn | undefined {
  return tree.turns.find((turn) => turn.id === id)
}

/** Adds a turn and shows it. A turn whose id is there already takes its place. */
export function withTurn(tree: ConversationTree, turn: Turn): ConversationTree {
  const index = tree.turns.findIndex(({ id }) => id === turn.id)
  const turns = index < 0 ? [...tree.turns, turn] : tree.turns.with(index, turn)
  return { turns, shown: { ...tree.shown, [turn.parent ?? '']: turn.id } }
}

/** Takes away a turn and all that follow it. */
export function withoutTurn(tree: ConversationTree, id: string): ConversationTree {
  const gone = new Set([id])
  for (const turn of tree.turns) if (turn.parent !== null && gone.has(turn.parent)) gone.add(turn.id)
  const shown = Object.entries(tree.shown).filter(([parent, child]) => !gone.has(parent) && !gone.has(child))
  return { turns: tree.turns.filter((turn) => !gone.has(turn.id)), shown: Object.fromEntries(shown) }
}

/** Shows the version `step` places after this one (before it when negative); at the ends it stays. */
export function showVersion(tree: ConversationTree, id: string, step: number): ConversationTree {
  const turn = turnOf(tree, id)
  if (turn === undefined) return tree
  const all = versions(tree, turn.parent)
  const other = all[all.findIndex((each) => each.id === id) + step]
  return other === undefined ? tree : { ...tree, shown: { ...tree.shown, [turn.parent ?? '']: other.id } }
}
