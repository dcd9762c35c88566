import { expect, test } from 'vitest'
import { withDraftMarks } from '../../src/lib/drafted-tokens.ts'
import type { TokenRecord } from '../../src/lib/token-record.ts'

const tokens = Array.from(
  { length: 7 },
  (_, id): TokenRecord => ({ id, text: 'x', label: 'x', logProbability: -1, alternatives: [], elapsedMs: 1 }),
)
const marked = (given: readonly TokenRecord[]) => given.map(({ wasDrafted }) => wasDrafted === true)

test('all tokens of a step but the last were foreseen; the first token of the answer never', () => {
  const shown = withDraftMarks(tokens, { tokensByStep: [1, 3, 2], accepted: 3 })
  expect(marked(shown)).toEqual([false, false, true, true, false, true, false])
})

test.each([
  ['there were no drafts', undefined],
  ['the accepted tokens are more than the steps show', { tokensByStep: [1, 3, 2], accepted: 4 }],
  ['the steps are of another answer', { tokensByStep: [1, 3], accepted: 2 }],
])('none is marked when %s', (_, speculation) => {
  expect(withDraftMarks(tokens, speculation)).toBe(tokens)
})
