/** A chat: the messages so far, and a cache that keeps their rows, so that each turn computes only what is new. */
import { generate, PrefixCache, type SingleGenerationOptions, TokenizerMissingError } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import type { ChatMessage } from '@foretoken/tokenizers'
import type { AnswerView } from './answer-view.ts'
import type { Interruption } from './interruption.ts'

export interface ConversationOptions {
  readonly system?: string
  readonly options: SingleGenerationOptions
  readonly interruption: Interruption
  /** Whether Ctrl-C ends only the answer that is being written; otherwise it ends the command. */
  readonly isInteractive: boolean
}

export interface Conversation extends AsyncDisposable {
  readonly messages: readonly ChatMessage[]
  /**
   * Adds what the user said and writes the answer into the view. When the answer is interrupted, what was written so far stays part of
   * the conversation; before the first piece, and after an error, the turn is forgotten.
   */
  ask(text: string, view: AnswerView): Promise<Answer>
  /** Forgets all messages but the system's. */
  clear(): void
}

export interface Answer {
  readonly text: string
  readonly isInterrupted: boolean
}

/** @throws {TokenizerMissingError} when the model has no tokenizer or no chat template */
export function startConversation(lm: CausalLM, { system, options, interruption, isInteractive }: ConversationOptions): Conversation {
  if (lm.tokenizer?.chatTemplate === undefined) {
    throw new TokenizerMissingError({
      field: 'chat',
      found: lm.tokenizer === undefined ? 'a model without tokenizer files' : 'a tokenizer without a chat template',
      expected: 'a model that was made for conversations (foretoken generate continues text with any model)',
    })
  }
  const cache = new PrefixCache(lm)
  const opening: readonly ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }]
  let messages: readonly ChatMessage[] = opening

  async function ask(question: string, view: AnswerView): Promise<Answer> {
    const asked = [...messages, { role: 'user', content: question }]
    const stopping = new AbortController()
    const signal = AbortSignal.any([stopping.signal, interruption.signal])
    let text = ''
    let hasBegun = false
    let isStopped = false
    const release = isInteractive
      ? interruption.take(() => {
          isStopped = true
          // before the first piece the loop below is not asked: the prefill itself has to end
          if (!hasBegun) stopping.abort()
        })
      : () => undefined
    try {
      const onPrefill: SingleGenerationOptions['onPrefill'] = (progress) => {
        options.onPrefill?.(progress)
        view.prefill(progress)
      }
      const onDrafts = view.drafts.bind(view)
      for await (const piece of generate(lm, { ...options, messages: asked, cache, signal, onPrefill, onDrafts })) {
        if (isStopped && hasBegun) break
        hasBegun = true
        text += piece.text
        view.show(piece)
      }
    } catch (error) {
      if (!stopping.signal.aborted || interruption.signal.aborted) throw error
    } finally {
      release()
      view.end(isStopped || interruption.signal.aborted)
    }
    if (hasBegun) messages = [...asked, { role: 'assistant', content: text }]
    return { text, isInterrupted: isStopped }
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
