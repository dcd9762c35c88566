/** A chat: the messages so far, and a cache that keeps their rows, so that each turn computes only what is new. */
import { type GenerationOptions, type GenerationStatistics, generate, PrefixCache } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import type { ChatMessage } from '@foretoken/tokenizers'
import type { AnswerView } from './answer-view.ts'
import type { Interruption } from './interruption.ts'

export interface Conversation extends AsyncDisposable {
  readonly messages: readonly ChatMessage[]
  /**
   * Adds what the user said and writes the answer into the view. Ctrl-C ends the answer: what was written so far stays part of the
   * conversation; before the first piece the turn is forgotten.
   */
  ask(text: string, view: AnswerView): Promise<Answer>
  /** Forgets all messages but the system's. */
  clear(): void
}

export interface Answer {
  readonly text: string
  readonly isInterrupted: boolean
}

export function startConversation(
  lm: CausalLM,
  { system, options, interruption }: { readonly system?: string; readonly options: GenerationOptions; readonly interruption: Interruption },
): Conversation {
  const cache = new PrefixCache(lm)
  const opening: readonly ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }]
  let messages: readonly ChatMessage[] = opening

  async function ask(question: string, view: AnswerView): Promise<Answer> {
    const asked = [...messages, { role: 'user', content: question }]
    const stopping = new AbortController()
    let text = ''
    let hasBegun = false
    let isInterrupted = false
    const release = interruption.take(() => {
      isInterrupted = true
      // before the first piece the loop below is not asked: the prefill itself has to end
      if (!hasBegun) stopping.abort()
    })
    let statistics: GenerationStatistics | undefined
    try {
      for await (const piece of generate(lm, { ...options, messages: asked, cache, signal: stopping.signal })) {
        hasBegun = true
        text += piece.text
        view.show(piece)
        statistics = piece.statistics
        if (isInterrupted) break
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error
    } finally {
      release()
    }
    view.end(statistics, isInterrupted)
    if (hasBegun) messages = [...asked, { role: 'assistant', content: text }]
    return { text, isInterrupted }
  }

  return {
    get messages() {
      return messages
    },
    ask,
    clear() {
      messages = opening
      cache.clear()
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  }
}
