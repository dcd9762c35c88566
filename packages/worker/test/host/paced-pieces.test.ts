import type { GenerationPiece } from '@foretoken/generation'
import { expect, test } from 'vitest'
import { PacedPieces } from '../../src/host/paced-pieces.ts'

/** A generation that says what happened to it. */
function counting(length: number) {
  const events: string[] = []
  async function* pieces(): AsyncGenerator<GenerationPiece, void, undefined> {
    try {
      for (let id = 1; id <= length; id++) {
        events.push(`step ${id}`)
        yield { text: '', ids: [id], logProbabilities: [0], ...(id === length ? { finishReason: 'length' as const } : {}) }
      }
      events.push('kept')
    } catch (error) {
      events.push(`undone: ${String(error)}`)
      throw error
    } finally {
      events.push('over')
    }
  }
  return { events, pieces: pieces() }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

test('no more pieces are computed than were asked for and the few ahead of them', async () => {
  const { events, pieces } = counting(20)
  const paced = new PacedPieces(2)
  const sent: number[] = []
  const run = paced.run(pieces, ({ ids }) => sent.push(...ids))
  await settled()
  expect(sent).toEqual([1, 2])
  paced.ask(1)
  await settled()
  expect(sent).toEqual([1, 2, 3])
  paced.ask(4)
  await settled()
  expect(sent).toEqual([1, 2, 3, 4, 5, 6])
  paced.leave(4)
  expect(await run).toBe(4)
  expect(events.slice(-2)).toEqual(['step 6', 'over'])
})

test('with nothing ahead a piece is computed when it is asked for', async () => {
  const { events, pieces } = counting(3)
  const paced = new PacedPieces(0)
  const run = paced.run(pieces, () => undefined)
  await settled()
  expect(events).toEqual([])
  paced.ask(1)
  await settled()
  expect(events).toEqual(['step 1'])
  paced.ask(4)
  expect(await run).toBeUndefined()
  expect(events.slice(-2)).toEqual(['kept', 'over'])
})

test('a generation that was computed to its end is kept only when the reader asks for more than its last piece', async () => {
  const { events, pieces } = counting(3)
  const paced = new PacedPieces(8)
  const run = paced.run(pieces, () => undefined)
  paced.ask(3)
  await settled()
  expect(events).toEqual(['step 1', 'step 2', 'step 3'])
  paced.ask(4)
  expect(await run).toBeUndefined()
  expect(events.slice(3)).toEqual(['kept', 'over'])
})

test('an abort while pieces wait to be read undoes the generation', async () => {
  const { events, pieces } = counting(3)
  const paced = new PacedPieces(8)
  const run = paced.run(pieces, () => undefined)
  paced.ask(1)
  await settled()
  paced.abort('enough')
  await expect(run).rejects.toBe('enough')
  expect(events.slice(3)).toEqual(['undone: enough', 'over'])
})
