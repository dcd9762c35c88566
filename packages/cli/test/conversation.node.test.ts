import type { GenerationPiece } from '@foretoken/generation'
import { type CausalLM, loadCausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'
import type { AnswerView } from '../src/answer-view.ts'
import { type ConversationOptions, startConversation } from '../src/conversation.ts'
import { createInterruption } from '../src/interruption.ts'
import { tinyCheckpoint } from './tiny-checkpoint.ts'

/** Collects what is shown. */
function notes(onPiece: (count: number) => void = () => undefined) {
  const pieces: GenerationPiece[] = []
  const ends: boolean[] = []
  const view: AnswerView = {
    prefill: () => undefined,
    drafts: () => undefined,
    show(piece) {
      pieces.push(piece)
      onPiece(pieces.length)
    },
    end: (isInterrupted) => ends.push(isInterrupted),
  }
  return { view, pieces, ends, text: () => pieces.map(({ text }) => text).join('') }
}

async function withModel(work: (lm: CausalLM) => Promise<void>, options?: Parameters<typeof tinyCheckpoint>[0]): Promise<void> {
  await using model = await tinyCheckpoint(options)
  await using lm = await loadCausalLM(model.path, { format: 'f32' })
  await work(lm)
}

function conversation(lm: CausalLM, options: Partial<ConversationOptions> = {}) {
  const interruption = createInterruption()
  const chat = startConversation(lm, { interruption, isInteractive: true, options: { maxNewTokens: 12 }, ...options })
  return { interruption, chat }
}

function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let length = 0
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++
  return length
}

test('the second turn computes only what is new', async () => {
  await withModel(async (lm) => {
    const { chat } = conversation(lm, { system: 'short' })
    await using _ = chat
    const encode = (messages: typeof chat.messages) =>
      lm.tokenizer?.chatTemplate?.encode(messages, { addGenerationPrompt: true }) ?? new Int32Array(0)
    const firstPrompt = encode([...chat.messages, { role: 'user', content: 'one' }])
    const first = notes()
    await chat.ask('one', first.view)
    const second = notes()
    await chat.ask('two', second.view)
    expect(chat.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant'])
    // the last token of the first answer was never an input
    const held = [...firstPrompt, ...first.pieces.flatMap(({ ids }) => ids).slice(0, -1)]
    const secondPrompt = encode(chat.messages.slice(0, 4))
    const { statistics } = second.pieces.at(-1) ?? {}
    expect(statistics?.promptTokens).toBe(secondPrompt.length)
    expect(statistics?.reusedTokens).toBe(commonPrefix(held, secondPrompt))
    expect(statistics?.reusedTokens).toBeGreaterThanOrEqual(firstPrompt.length)
  })
})

test('an answer that is interrupted keeps what was written, and the conversation goes on', async () => {
  await withModel(async (lm) => {
    const { chat, interruption } = conversation(lm)
    await using _ = chat
    const cut = notes((count) => count === 4 && interruption.interrupt())
    const answer = await chat.ask('one', cut.view)
    expect(cut.pieces).toHaveLength(4)
    expect(answer).toEqual({ text: cut.text(), isInterrupted: true })
    expect(cut.ends).toEqual([true])
    expect(chat.messages).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: cut.text() },
    ])
    const next = notes()
    expect(await chat.ask('two', next.view)).toMatchObject({ isInterrupted: false })
    expect(next.pieces.at(-1)?.statistics?.reusedTokens).toBeGreaterThan(0)
    expect(chat.messages).toHaveLength(4)
    expect(interruption.signal.aborted).toBe(false)
  })
})

test('an interruption before the first piece ends the prefill, and the turn is forgotten', async () => {
  await withModel(async (lm) => {
    let doneRows = 0
    const { chat, interruption } = conversation(lm, {
      options: {
        maxNewTokens: 4,
        prefillRows: 8,
        onPrefill: ({ done }) => {
          doneRows = done
          if (done === 8) interruption.interrupt()
        },
      },
    })
    await using _ = chat
    const view = notes()
    expect(await chat.ask('a question of many chunks', view.view)).toEqual({ text: '', isInterrupted: true })
    expect(doneRows).toBe(8)
    expect(view.pieces).toEqual([])
    expect(view.ends).toEqual([true])
    expect(chat.messages).toEqual([])
  })
})

test('where nobody sits, Ctrl-C in an answer ends the command', async () => {
  await withModel(async (lm) => {
    const { chat, interruption } = conversation(lm, { isInteractive: false })
    await using _ = chat
    const cut = notes((count) => count === 2 && interruption.interrupt())
    await expect(chat.ask('one', cut.view)).rejects.toMatchObject({ name: 'CommandEndedError', status: 130 })
    expect(cut.ends).toEqual([true])
  })
})

test('a question that is too long for the context is an error that leaves the conversation as it was', async () => {
  await withModel(async (lm) => {
    const { chat } = conversation(lm)
    await using _ = chat
    await chat.ask('one', notes().view)
    const before = chat.messages
    await expect(chat.ask('x'.repeat(300), notes().view)).rejects.toMatchObject({ code: 'context-length' })
    expect(chat.messages).toBe(before)
    expect(await chat.ask('two', notes().view)).toMatchObject({ isInterrupted: false })
  })
})

test('clearing forgets all but the system message, rows included', async () => {
  await withModel(async (lm) => {
    const { chat } = conversation(lm, { system: 'short' })
    await using _ = chat
    await chat.ask('one', notes().view)
    chat.clear()
    expect(chat.messages).toEqual([{ role: 'system', content: 'short' }])
    const view = notes()
    await chat.ask('one', view.view)
    expect(view.pieces.at(-1)?.statistics?.reusedTokens).toBe(0)
  })
})

test('a model without a chat template is refused at once', async () => {
  await withModel(
    async (lm) => {
      expect(() => conversation(lm)).toThrow(/without a chat template.*foretoken generate/)
    },
    { hasTemplate: false },
  )
})
