import { expect, test } from 'vitest'
import { EMPTY_TREE, withTurn } from '../../src/lib/conversation-tree.ts'
import { chatTitle, parseSavedChat, type SavedChat } from '../../src/lib/saved-chat.ts'

const statistics = { promptTokens: 30, reusedTokens: 12, newTokens: 2, prefillMs: 40, decodeMs: 20, tokensPerSecond: 50 }
const token = {
  id: 7,
  text: ' blue',
  label: ' blue',
  logProbability: -0.25,
  alternatives: [{ id: 9, label: ' red', logProbability: -2 }],
  elapsedMs: 21.5,
}
const question = { id: 'q', parent: null, role: 'user' as const, text: 'Which colour?', tokens: [] }
const answer = { id: 'a', parent: 'q', role: 'assistant' as const, text: ' blue', tokens: [token], ending: 'length' as const, statistics }
const chat: SavedChat = {
  id: 'c',
  title: 'Which colour?',
  model: 'tiny',
  changedAt: 1,
  tree: withTurn(withTurn(EMPTY_TREE, question), answer),
}

test('a chat comes back as it was stored', () => {
  expect(parseSavedChat(structuredClone(chat))).toEqual(chat)
})

test('fields that nobody knows are left behind', () => {
  expect(parseSavedChat({ ...structuredClone(chat), extra: '<script>' })).toEqual(chat)
})

test.each([
  ['nothing', undefined, /chat/],
  ['a text', 'chat', /chat/],
  ['no tree', { ...chat, tree: undefined }, /tree/],
  ['a turn whose parent is absent', { ...chat, tree: { turns: [answer], shown: {} } }, /q, which is not there/],
  ['a turn before its parent', { ...chat, tree: { turns: [answer, question], shown: {} } }, /q, which is not there/],
  ['an unknown role', { ...chat, tree: { turns: [{ ...question, role: 'system' }], shown: {} } }, /role/],
  [
    'a token without probability',
    { ...chat, tree: { turns: [{ ...question, tokens: [{ ...token, logProbability: null }] }], shown: {} } },
    /logProbability/,
  ],
  ['a title that is no text', { ...chat, title: 3 }, /title/],
])('%s is refused', (_, stored, message) => {
  expect(() => parseSavedChat(stored)).toThrow(message)
})

test('a title is the beginning of the first question', () => {
  expect(chatTitle(chat.tree)).toBe('Which colour?')
  expect(chatTitle(EMPTY_TREE)).toBe('New chat')
  const long = withTurn(EMPTY_TREE, { ...question, text: `one\n two ${'x'.repeat(90)}` })
  expect(chatTitle(long)).toMatch(/^one two x+…$/)
  expect(chatTitle(long)).toHaveLength(60)
})
