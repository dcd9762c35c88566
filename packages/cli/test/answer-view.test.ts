import type { GenerationPiece } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { answerView } from '../src/answer-view.ts'
import { createScreen } from './screen.ts'

function piece(text: string, rest: Partial<GenerationPiece> = {}): GenerationPiece {
  return { text, ids: [1], logProbabilities: [-1], ...rest }
}

const STATISTICS = { promptTokens: 12, reusedTokens: 5, newTokens: 3, prefillMs: 20, decodeMs: 100, tokensPerSecond: 20 }

/** A terminal, and a clock that goes on by 100 ms with each look at it. */
function onScreen(columns: number, rows: number, environment: Record<string, string> = {}) {
  const screen = createScreen(columns, rows)
  const stream = { isTTY: true, columns, write: (text: string) => screen.write(text) }
  let nowMs = 0
  const clock = () => {
    nowMs += 100
    return nowMs
  }
  return { screen, view: answerView(stream, stream, environment, { clock }) }
}

test('below the text stands how many tokens there are, and their rate', () => {
  const { screen, view } = onScreen(60, 10)
  view.show(piece('The sky'))
  expect(screen.lines()).toEqual(['The sky', '1 tokens'])
  view.show(piece(' is blue.'))
  expect(screen.lines()).toEqual(['The sky is blue.', '2 tokens  10 tokens/s'])
  expect([screen.row, screen.column]).toEqual([0, 16])
})

test('the rate is that of the last sixteen tokens', () => {
  let nowMs = 0
  const screen = createScreen(60, 10)
  const stream = { isTTY: true, columns: 60, write: (text: string) => screen.write(text) }
  const view = answerView(stream, stream, {}, { clock: () => nowMs })
  for (let token = 0; token < 40; token++) {
    nowMs += token < 20 ? 1000 : 20
    view.show(piece('x'))
  }
  expect(screen.lines().at(-1)).toBe('40 tokens  50 tokens/s')
})

test('at the end the line below is gone, and a line says how it went', () => {
  const { screen, view } = onScreen(80, 10)
  view.show(piece('Blue'))
  view.show(piece('.', { finishReason: 'stop-token', statistics: STATISTICS }))
  view.end(false)
  expect(screen.lines()).toEqual(['Blue.', '(3 tokens at 20.0 tokens/s, prompt of 12 tokens, 5 of them reused in 20 ms)'])
})

test('an answer that is stopped says after how many tokens', () => {
  const { screen, view } = onScreen(80, 10)
  view.show(piece('Blue'))
  view.end(true)
  expect(screen.lines()).toEqual(['Blue', '(stopped after 1 tokens)'])
})

test('while the prompt is computed its progress is shown, and vanishes with the first piece', () => {
  const { screen, view } = onScreen(80, 10)
  view.prefill({ done: 256, total: 600, elapsedMs: 1 })
  expect(screen.lines()).toEqual(['', 'prompt: 256 of 600 tokens'])
  view.show(piece('Yes'))
  expect(screen.lines()).toEqual(['Yes', '1 tokens'])
})

test('text over many lines, at the bottom of a small screen, is whole and broken between words', () => {
  const { screen, view } = onScreen(12, 3)
  const text = 'one two three four five sixty sixsevens abcdefghijklmnopq end.\nlast line\n\nof it'
  for (const character of text) view.show(piece(character))
  view.end(false)
  expect(screen.lines()).toEqual([
    'one two',
    'three four',
    'five sixty',
    'sixsevens',
    'abcdefghijk',
    'lmnopq end.',
    'last line',
    '',
    'of it',
  ])
})

test('however text is cut into pieces, the same lines come out', () => {
  const text = 'A fox, two foxes; 三匹の狐がいます。 A wordthatislongerthantheline and more   spaces.'
  const shown = (size: number) => {
    const { screen, view } = onScreen(17, 4)
    for (let at = 0; at < text.length; at += size) view.show(piece(text.slice(at, at + size)))
    view.end(false)
    return screen.lines()
  }
  const whole = shown(1000)
  for (const size of [1, 2, 3, 7]) expect(shown(size)).toEqual(whole)
})

test('control characters of the model are shown, not obeyed', () => {
  const { screen, view } = onScreen(40, 5)
  view.show(piece('a\u001b[2Jb\u0007\u009bc'))
  expect(screen.lines()[0]).toBe('a\u241b[2Jb\u2407\ufffdc')
})

test('in a pipe there is the text alone, and the statistics on the other stream', () => {
  const written = { out: '', err: '' }
  const out = { write: (text: string) => (written.out += text) }
  const err = { write: (text: string) => (written.err += text) }
  const view = answerView(out, err, {})
  view.prefill({ done: 1, total: 2, elapsedMs: 1 })
  view.show(piece('a\u001b'))
  view.show(piece('', { finishReason: 'length', statistics: { ...STATISTICS, reusedTokens: 0 } }))
  view.end(false)
  expect(written.out).toBe('a\u001b\n')
  expect(written.err).toBe('(3 tokens at 20.0 tokens/s, prompt of 12 tokens in 20 ms, ended by the limit of tokens)\n')
})

test('a terminal that cannot move its cursor gets text without sequences', () => {
  let written = ''
  const stream = { isTTY: true, columns: 20, write: (text: string) => (written += text) }
  const view = answerView(stream, stream, { TERM: 'dumb' })
  view.show(piece('Blue'))
  view.end(true)
  expect(written).toBe('Blue\n(stopped after 1 tokens)\n')
})

test('without a piece nothing is written but that it was stopped', () => {
  const { screen, view } = onScreen(40, 5)
  view.end(false)
  expect(screen.lines()).toEqual([])
  view.end(true)
  expect(screen.lines()).toEqual(['(stopped after 0 tokens)'])
})

test('NO_COLOR takes the colours and leaves the rest', () => {
  let written = ''
  const stream = { isTTY: true, columns: 40, write: (text: string) => (written += text) }
  answerView(stream, stream, { NO_COLOR: '1' }).show(piece('Blue'))
  expect(written).toContain('1 tokens')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence for colours
  expect(written).not.toMatch(/\u001b\[\d*m/)
})

const SPECULATION = {
  drafter: 'copies',
  steps: 4,
  draftedSteps: 3,
  drafted: 5,
  accepted: 2,
  testedByDepth: [3, 2],
  acceptedByDepth: [2, 0],
  tokensPerStep: 1.5,
  draftMs: 0.25,
  stepMs: 40,
  stepsByRows: [0, 1, 1, 2],
  tokensByStep: [1, 2, 2, 1],
  summary: { decisions: { 'nothing to propose': 1, drafted: 3 }, sources: [], rowCosts: [] },
}

test('tokens that were drafted have another shade when drafts are shown, also in a word that is moved to the next line', () => {
  let written = ''
  const stream = { isTTY: true, columns: 12, write: (text: string) => (written += text) }
  const view = answerView(stream, stream, {}, { showsDrafts: true })
  view.drafts({ drafted: 3, accepted: 2 })
  for (const text of ['The sky ', 'li', 'ghtest']) view.show(piece(text))
  expect(written).toContain('\u001b[32mThe sky \u001b[0m')
  expect(written).toContain('\u001b[32mli\u001b[0m')
  expect(written).toContain('\u001b[3D\u001b[K\n\u001b[32mli\u001b[0mghtest')
  expect(written).toContain('3 tokens  2')
})

test('what drafts brought is said in the end, without colours as well; without the wish nothing is', () => {
  const last = piece('.', { finishReason: 'stop-token', statistics: { ...STATISTICS, speculation: SPECULATION } })
  const end = (showsDrafts: boolean) => {
    const written = { out: '', err: '' }
    const view = answerView({ write: (text) => (written.out += text) }, { write: (text) => (written.err += text) }, {}, { showsDrafts })
    view.drafts({ drafted: 1, accepted: 1 })
    view.show(last)
    view.end(false)
    expect(written.out).toBe('.\n')
    return written.err.split('\n').slice(1, -1)
  }
  expect(end(true)).toEqual([
    '(drafts of copies: 2 of 5 accepted in 3 of 4 steps, 1.50 tokens per step, drafting 0.3 ms)',
    '(3 drafted, 1 nothing to propose)',
  ])
  expect(end(false)).toEqual([])
})
