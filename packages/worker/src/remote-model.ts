/** A hosted model: every call is a message to the worker. */
import { type BatchPiece, type GeneratedText, type GenerationPiece, joinPieces, type PromptInput, type Score } from '@foretoken/generation'
import type { Capabilities, GenerationDefaults, MemoryUse, ModelConfig, Plan } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import type { Connection } from './connection.ts'
import type { WorkerCrashedError } from './errors.ts'
import type { HostedBatchOptions, HostedConversation, HostedGenerationOptions, HostedModel, HostedScoreOptions } from './hosted-model.ts'
import type { HostedTokenizer } from './hosted-tokenizer.ts'
import { requirePlainData } from './messages/plain-data.ts'
import type { ModelFacts, Piece, Progress } from './messages/protocol.ts'
import { RemoteConversation } from './remote-conversation.ts'
import { remoteTokenizer } from './remote-tokenizer.ts'

export class RemoteModel implements HostedModel {
  readonly config: ModelConfig
  readonly capabilities: Capabilities
  readonly plan: Plan
  readonly generationDefaults: GenerationDefaults
  readonly tokenizer?: HostedTokenizer
  readonly #connection: Connection
  readonly #ahead: number

  constructor(connection: Connection, facts: ModelFacts, ahead: number) {
    this.config = facts.config
    this.capabilities = facts.capabilities
    this.plan = facts.plan
    this.generationDefaults = facts.generationDefaults
    if (facts.tokenizer !== undefined) this.tokenizer = remoteTokenizer(connection, facts.tokenizer)
    this.#connection = connection
    this.#ahead = ahead
  }

  get ended(): Promise<WorkerCrashedError | undefined> {
    return this.#connection.ended
  }

  generate(options: HostedGenerationOptions & PromptInput): AsyncIterable<GenerationPiece> {
    const { conversation, signal, onPrefill, ...rest } = options
    requirePlainData(rest, 'options')
    const own = conversation === undefined ? {} : { conversation: this.#numberOf(conversation) }
    const onProgress = prefillOnly(onPrefill)
    const stream = this.#connection.stream({ name: 'generate', options: rest, ...own }, this.#ahead, { signal, onProgress })
    return stream.read()
  }

  async generateText(options: HostedGenerationOptions & PromptInput): Promise<GeneratedText> {
    const pieces: GenerationPiece[] = []
    for await (const piece of this.generate(options)) pieces.push(piece)
    return joinPieces(pieces)
  }

  generateBatch(prompts: readonly PromptInput[], options: HostedBatchOptions = {}): AsyncIterable<BatchPiece> {
    const { signal, onPrefill, ...rest } = options
    requirePlainData(rest, 'options')
    requirePlainData(prompts, 'prompts')
    const onProgress = prefillOnly(onPrefill)
    return batchPieces(
      this.#connection.stream({ name: 'generateBatch', prompts, options: rest }, this.#ahead, { signal, onProgress }).read(),
    )
  }

  async score(options: HostedScoreOptions & PromptInput): Promise<Score> {
    const { signal, onProgress, ...rest } = options
    requirePlainData(rest, 'options')
    return this.#connection.call({ name: 'score', options: rest }, { signal, onProgress: prefillOnly(onProgress) })
  }

  memory(): Promise<MemoryUse> {
    return this.#connection.call({ name: 'memory' })
  }

  async openConversation(): Promise<HostedConversation> {
    return new RemoteConversation(this.#connection, await this.#connection.call({ name: 'open' }))
  }

  async restore(snapshot: Uint8Array): Promise<HostedConversation> {
    const bytes = Uint8Array.from(snapshot)
    const number = await this.#connection.call({ name: 'restore', snapshot: bytes }, { transfer: [bytes.buffer] })
    return new RemoteConversation(this.#connection, number)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.dispose()
  }

  #numberOf(conversation: HostedConversation): number {
    if (conversation instanceof RemoteConversation && conversation.isOf(this.#connection)) return conversation.number
    throw new ArgumentError({ field: 'conversation', found: 'one of another model', expected: 'one that this model opened' })
  }
}

function prefillOnly(callback: HostedScoreOptions['onProgress']): ((progress: Progress) => void) | undefined {
  if (callback === undefined) return undefined
  return (progress) => {
    if (!('phase' in progress)) callback(progress)
  }
}

async function* batchPieces(pieces: AsyncGenerator<Piece, void, undefined>): AsyncGenerator<BatchPiece, void, undefined> {
  for await (const piece of pieces) if ('row' in piece) yield piece
}
