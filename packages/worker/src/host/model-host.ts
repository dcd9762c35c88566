/** What an open model does for the other side: every call of the protocol but `load` and `close`. */
import { type GenerationOptions, generate, generateBatch, type PrefillProgress, score, TokenizerMissingError } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import type { ChatTemplate, Tokenizer } from '@foretoken/tokenizers'
import type { ConstraintChoice } from '../constraint-choice.ts'
import type { Call, CallName, Calls, ModelFacts, Piece, StreamRequest } from '../messages/protocol.ts'
import { Constraints } from './constraints.ts'
import { Drafters } from './drafters.ts'
import { HostedConversations } from './hosted-conversations.ts'
import type { PacedPieces } from './paced-pieces.ts'
import { viewTokens } from './token-views.ts'

export interface RequestContext {
  readonly signal: AbortSignal
  onProgress(progress: PrefillProgress): void
}

export class ModelHost implements AsyncDisposable {
  readonly #lm: CausalLM
  readonly #conversations: HostedConversations
  readonly #drafters = new Drafters()
  readonly #constraints = new Constraints()

  constructor(lm: CausalLM) {
    this.#lm = lm
    this.#conversations = new HostedConversations(lm)
  }

  get facts(): ModelFacts {
    const { config, capabilities, plan, generationDefaults, tokenizer } = this.#lm
    if (tokenizer === undefined) return { config, capabilities, plan, generationDefaults }
    const { vocabularySize, specialTokens, chatTemplate } = tokenizer
    return {
      config,
      capabilities,
      plan,
      generationDefaults,
      tokenizer: { vocabularySize, specialTokens, hasChatTemplate: chatTemplate !== undefined },
    }
  }

  async answer(
    call: Exclude<Call, { name: 'load' | 'close' }>,
    { signal, onProgress }: RequestContext,
  ): Promise<Calls[CallName]['answer']> {
    switch (call.name) {
      case 'memory':
        return this.#lm.memory()
      case 'score':
        return score(this.#lm, { ...call.options, signal, onProgress })
      case 'open':
        return this.#conversations.open()
      case 'restore':
        return this.#conversations.restore(call.snapshot)
      case 'tokens':
        return this.#conversations.of(call.conversation).tokens
      case 'bytes':
        return this.#conversations.of(call.conversation).bytes
      case 'fork':
        return this.#conversations.fork(call.conversation)
      case 'truncate':
        this.#conversations.of(call.conversation).truncate(call.length)
        return undefined
      case 'snapshot':
        return this.#conversations.snapshot(call.conversation)
      case 'forget':
        await this.#conversations.forget(call.conversation)
        return undefined
      case 'encode':
        return this.#tokenizer('encode').encode(call.text, call.options)
      case 'decode':
        return this.#tokenizer('decode').decode(call.ids, call.options)
      case 'view': {
        const tokenizer = this.#tokenizer('view')
        return viewTokens(tokenizer, tokenizer.encode(call.text, call.options))
      }
      case 'viewIds':
        return viewTokens(this.#tokenizer('view'), call.ids)
      case 'render':
        return this.#template('render').render(call.messages, call.options)
      case 'encodeMessages':
        return this.#template('encodeMessages').encode(call.messages, call.options)
    }
  }

  /** Runs a generation to its end, or to where its reader stops. */
  async run(request: StreamRequest, pieces: PacedPieces, context: RequestContext, handOut: (piece: Piece) => void): Promise<void> {
    if (request.name === 'generateBatch') {
      const { signal, onProgress: onPrefill } = context
      const { constraint, ...options } = request.options
      const batch = generateBatch(this.#lm, request.prompts, { ...options, ...this.#constraint(constraint), signal, onPrefill })
      await pieces.run(batch[Symbol.asyncIterator](), handOut)
      return
    }
    const { conversation } = request
    const { constraint, speculate = 'auto', ...options } = request.options
    let promptLength: number | undefined
    const single = generate(this.#lm, {
      ...options,
      speculate: this.#drafters.of(speculate),
      ...this.#constraint(constraint),
      ...(conversation === undefined ? {} : { cache: this.#conversations.of(conversation) }),
      signal: context.signal,
      onPrefill(progress) {
        promptLength = progress.total
        context.onProgress(progress)
      },
    })
    const seen = await pieces.run(single[Symbol.asyncIterator](), handOut)
    // the row of the last token that was seen is not computed yet
    if (seen !== undefined && conversation !== undefined && promptLength !== undefined) {
      this.#conversations.trim(conversation, promptLength + Math.max(0, seen - 1))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#conversations[Symbol.asyncDispose]()
    await this.#lm[Symbol.asyncDispose]()
  }

  #constraint(choice: ConstraintChoice | undefined): Pick<GenerationOptions, 'constraint'> {
    return choice === undefined ? {} : { constraint: this.#constraints.of(choice) }
  }

  #tokenizer(field: string): Tokenizer {
    const { tokenizer } = this.#lm
    if (tokenizer === undefined) {
      throw new TokenizerMissingError({ field, found: 'a model without tokenizer files', expected: 'a model that has them' })
    }
    return tokenizer
  }

  #template(field: string): ChatTemplate {
    const { chatTemplate } = this.#tokenizer(field)
    if (chatTemplate === undefined) {
      throw new TokenizerMissingError({ field, found: 'a tokenizer without a chat template', expected: 'a model that has one' })
    }
    return chatTemplate
  }
}
