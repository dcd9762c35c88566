import { choiceConstraint, type DraftContext, forcedTextDrafter, jsonSchemaConstraint, type Proposal } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { allowedPart } from '../../src/constraints/drafted-text.ts'
import { byteTokenizer } from '../fakes/byte-tokenizer.ts'
import { fakeModel } from '../fakes/fake-model.ts'
import { vocabularyOf } from './small-vocabulary.ts'

const { vocabulary, stop } = vocabularyOf([])
const codes = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0))
const textOf = (bytes: ArrayLike<number>) => String.fromCharCode(...Array.from(bytes))

test('what is forced ends where there is a choice, or where the output may end', () => {
  const state = choiceConstraint(['straight on', 'straight', 'stop']).follow(vocabulary)
  expect(textOf(state.forced)).toBe('st')
  for (const code of codes('str')) state.push(code)
  expect(textOf(state.forced)).toBe('aight')
  for (const code of codes('aight')) state.push(code)
  expect(textOf(state.forced)).toBe('')
  state.push(stop)
  expect(textOf(state.forced)).toBe('')
})

test('a schema forces its keys', () => {
  const schema = { type: 'object', properties: { first: { type: 'boolean' }, second: { type: 'null' } }, required: ['first', 'second'] }
  const state = jsonSchemaConstraint(schema, { whitespace: 'none' }).follow(vocabulary)
  expect(textOf(state.forced)).toBe('{"first":')
  for (const code of codes('{"first":f')) state.push(code)
  expect(textOf(state.forced)).toBe('alse,"second":null}')
})

test('a proposal loses the nodes that the constraint forbids, and those below them', () => {
  const state = choiceConstraint(['ab', 'ac', 'b']).follow(vocabulary)
  const proposal: Proposal = {
    tokens: Int32Array.from(codes('xabbca')),
    parents: Int32Array.of(-1, -1, 0, 1, 1, 3),
    confidences: Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
  }
  const { tokens, parents, confidences } = allowedPart(proposal, state)
  expect(textOf(tokens)).toBe('abc')
  expect([...parents]).toEqual([-1, 0, 0])
  expect([...(confidences ?? [])]).toEqual([0.2, 0.4, 0.5])
  expect(state.allows(codes('a')[0] ?? 0)).toBe(true)
})

test('a proposal that is allowed stays the same object', () => {
  const proposal: Proposal = { tokens: Int32Array.from(codes('ab')), parents: Int32Array.of(-1, 0) }
  expect(allowedPart(proposal, choiceConstraint(['abc']).follow(vocabulary))).toBe(proposal)
})

test('the drafter proposes the forced text, no deeper than asked for, and nothing where outputs are free', async () => {
  const lm = fakeModel({ vocab: 259, logits: () => new Float32Array(259), tokenizer: byteTokenizer() })
  const context: DraftContext = {
    lm,
    cache: lm.createCache(),
    prompt: Int32Array.of(1),
    sampling: { kind: 'greedy' },
    sequence: 0,
    stopTokens: new Set([256]),
    signal: undefined,
    clock: () => 0,
  }
  const constraint = choiceConstraint(['yes'])
  const session = forcedTextDrafter().begin({ ...context, constraint: () => constraint.follow(vocabulary) })
  const proposal = await session.propose({ tokens: Int32Array.of(1, ...codes('y')), most: 5, deepest: 5 })
  expect(textOf(proposal?.tokens ?? [])).toBe('es')
  const short = await session.propose({ tokens: Int32Array.of(1, ...codes('y')), most: 5, deepest: 1 })
  expect(textOf(short?.tokens ?? [])).toBe('e')
  const free = forcedTextDrafter().begin(context)
  expect(await free.propose({ tokens: Int32Array.of(1), most: 5, deepest: 5 })).toBeUndefined()
})
