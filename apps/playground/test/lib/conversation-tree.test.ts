import { describe, expect, test } from 'vitest'
import {
  type ConversationTree,
  EMPTY_TREE,
  pathTo,
  shownPath,
  showVersion,
  type Turn,
  versions,
  withoutTurn,
  withTurn,
} from '../../src/lib/conversation-tree.ts'

const turn = (id: string, parent: string | null, text = id): Turn => ({
  id,
  parent,
  role: id.startsWith('q') ? 'user' : 'assistant',
  text,
  tokens: [],
})
const treeOf = (...turns: readonly Turn[]): ConversationTree => turns.reduce(withTurn, EMPTY_TREE)
const ids = (turns: readonly Turn[]) => turns.map(({ id }) => id)

// q1 ─ a1 ─ q2 ─ a2
//    └ a1b
// q1b ─ a3
const tree = treeOf(
  turn('q1', null),
  turn('a1', 'q1'),
  turn('q2', 'a1'),
  turn('a2', 'q2'),
  turn('a1b', 'q1'),
  turn('q1b', null),
  turn('a3', 'q1b'),
)

describe('a conversation with branches', () => {
  test('shows the turn that was added last, and what follows it', () => {
    expect(ids(shownPath(tree))).toEqual(['q1b', 'a3'])
  })

  test('shows what a version had shown when it is chosen again', () => {
    expect(ids(shownPath(showVersion(tree, 'q1b', -1)))).toEqual(['q1', 'a1b'])
    expect(ids(shownPath(showVersion(showVersion(tree, 'q1b', -1), 'a1b', -1)))).toEqual(['q1', 'a1', 'q2', 'a2'])
  })

  test('stays where it is beyond the first and the last version', () => {
    expect(showVersion(tree, 'q1b', 1)).toBe(tree)
    expect(showVersion(tree, 'q1', -1)).toBe(tree)
  })

  test('numbers versions by age', () => {
    expect(ids(versions(tree, 'q1'))).toEqual(['a1', 'a1b'])
    expect(ids(versions(tree, null))).toEqual(['q1', 'q1b'])
  })

  test('knows the way to any turn', () => {
    expect(ids(pathTo(tree, 'a2'))).toEqual(['q1', 'a1', 'q2', 'a2'])
    expect(pathTo(tree, 'absent')).toEqual([])
  })

  test('a turn with an id that is there takes its place', () => {
    const changed = withTurn(tree, turn('a1', 'q1', 'longer'))
    expect(changed.turns).toHaveLength(tree.turns.length)
    expect(changed.turns[1]?.text).toBe('longer')
  })

  test('loses with a turn all that follow it', () => {
    const rest = withoutTurn(tree, 'a1')
    expect(ids(rest.turns)).toEqual(['q1', 'a1b', 'q1b', 'a3'])
    expect(ids(shownPath(showVersion(rest, 'q1b', -1)))).toEqual(['q1', 'a1b'])
  })

  test('is left alone by every change', () => {
    const before = JSON.stringify(tree)
    withTurn(tree, turn('q3', 'a3'))
    withoutTurn(tree, 'q1')
    showVersion(tree, 'q1b', -1)
    expect(JSON.stringify(tree)).toBe(before)
  })
})
