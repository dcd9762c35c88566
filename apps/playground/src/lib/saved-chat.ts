/**
 * A chat as it is stored. What comes back from storage is foreign: an older page wrote it, or another tab. It is read field by field, and a chat
 * that does not add up is refused whole rather than shown half.
 */
import type { GenerationStatistics } from '@foretoken/generation'
import type { ConversationTree, Turn, TurnEnding } from './conversation-tree.ts'
import { HistoryError } from './playground-errors.ts'
import type { Alternative, TokenRecord } from './token-record.ts'

export interface SavedChat {
  readonly id: string
  readonly title: string
  readonly model: string
  /** Milliseconds since 1970. */
  readonly changedAt: number
  readonly tree: ConversationTree
}

const LONGEST_TITLE = 60

/** The beginning of the first question. */
export function chatTitle(tree: ConversationTree): string {
  const text = (tree.turns.find(({ role }) => role === 'user')?.text ?? '').replace(/\s+/g, ' ').trim()
  if (text === '') return 'New chat'
  return text.length > LONGEST_TITLE ? `${text.slice(0, LONGEST_TITLE - 1).trimEnd()}…` : text
}

/** @throws {HistoryError} when it is not a chat */
export function parseSavedChat(stored: unknown): SavedChat {
  const chat = fields(stored, 'chat')
  const tree = fields(chat.get('tree'), 'tree')
  const turns = list(tree.get('turns'), 'turns').map(parseTurn)
  const known = new Set<string>()
  for (const { id, parent } of turns) {
    if (parent !== null && !known.has(parent)) refuse('turns', `a turn after ${parent}, which is not there`, 'a parent before its children')
    known.add(id)
  }
  const shown = [...fields(tree.get('shown'), 'shown')].map(([parent, child]) => [parent, string(child, 'shown')] as const)
  return {
    id: string(chat.get('id'), 'id'),
    title: string(chat.get('title'), 'title'),
    model: string(chat.get('model'), 'model'),
    changedAt: number(chat.get('changedAt'), 'changedAt'),
    tree: { turns, shown: Object.fromEntries(shown) },
  }
}

function parseTurn(stored: unknown): Turn {
  const turn = fields(stored, 'turn')
  const role = turn.get('role')
  if (role !== 'user' && role !== 'assistant') return refuse('role', String(role), 'user or assistant')
  const parent = turn.get('parent')
  const ending = ENDINGS.find((each) => each === turn.get('ending'))
  const statistics = parseStatistics(turn.get('statistics'))
  return {
    id: string(turn.get('id'), 'id'),
    parent: parent === null ? null : string(parent, 'parent'),
    role,
    text: string(turn.get('text'), 'text'),
    tokens: list(turn.get('tokens'), 'tokens').map(parseToken),
    ...(ending === undefined ? {} : { ending }),
    ...(statistics === undefined ? {} : { statistics }),
  }
}

const ENDINGS: readonly TurnEnding[] = ['stop-token', 'stop-string', 'length', 'stopped', 'failed']

function parseToken(stored: unknown): TokenRecord {
  const token = fields(stored, 'token')
  return {
    ...parseAlternative(stored),
    text: string(token.get('text'), 'text'),
    alternatives: list(token.get('alternatives'), 'alternatives').map(parseAlternative),
    elapsedMs: number(token.get('elapsedMs'), 'elapsedMs'),
    ...(token.get('wasDrafted') === true ? { wasDrafted: true } : {}),
  }
}

function parseAlternative(stored: unknown): Alternative {
  const token = fields(stored, 'token')
  return {
    id: number(token.get('id'), 'id'),
    label: string(token.get('label'), 'label'),
    logProbability: number(token.get('logProbability'), 'logProbability'),
  }
}

/** Numbers that the page shows; what drafts brought is kept as a count. */
function parseStatistics(stored: unknown): GenerationStatistics | undefined {
  if (stored === undefined) return undefined
  const each = fields(stored, 'statistics')
  const read = (name: keyof GenerationStatistics) => number(each.get(name), name)
  return {
    promptTokens: read('promptTokens'),
    reusedTokens: read('reusedTokens'),
    newTokens: read('newTokens'),
    prefillMs: read('prefillMs'),
    decodeMs: read('decodeMs'),
    tokensPerSecond: read('tokensPerSecond'),
  }
}

function fields(value: unknown, field: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null) return refuse(field, String(value), 'an object')
  return new Map(Object.entries(value))
}

function list(value: unknown, field: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(field, typeof value, 'a list')
}

function string(value: unknown, field: string): string {
  return typeof value === 'string' ? value : refuse(field, typeof value, 'a text')
}

function number(value: unknown, field: string): number {
  return typeof value === 'number' ? value : refuse(field, typeof value, 'a number')
}

function refuse(field: string, found: string, expected: string): never {
  throw new HistoryError({ field, found, expected })
}
