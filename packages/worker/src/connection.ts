/**
 * The page's side of the messages: requests by number, the answers that belong to them, and one end for all of them when the worker is gone.
 */
import { DisposedError } from '@foretoken/tensor'
import { crash, type Endpoint } from './endpoint.ts'
import { UnsendableError, type WorkerCrashedError, WorkerProtocolError } from './errors.ts'
import {
  type Call,
  type CallName,
  type Calls,
  isToPage,
  type Piece,
  PROTOCOL,
  type Progress,
  type StreamRequest,
  type ToHost,
  type ToPage,
} from './messages/protocol.ts'
import { receiveError } from './messages/received-error.ts'
import { PieceStream } from './piece-stream.ts'

export interface CallOptions {
  /** Arrays that are given away. */
  readonly transfer?: ArrayBuffer[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** A request that is under way. */
interface Pending {
  result(value: unknown): void
  piece(piece: Piece): void
  end(): void
  fail(error: unknown): void
  progress(progress: Progress): void
}

type End = { readonly kind: 'disposed' } | { readonly kind: 'crashed'; readonly error: WorkerCrashedError }

export class Connection {
  readonly #endpoint: Endpoint
  readonly #pending = new Map<number, Pending>()
  readonly #ended = Promise.withResolvers<WorkerCrashedError | undefined>()
  readonly #greeted = Promise.withResolvers<void>()
  #nextId = 1
  #end: End | undefined
  #disposal: Promise<void> | undefined

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    // a greeting that fails rejects `greet`; a crash after it is nobody's to await
    this.#greeted.promise.catch(() => undefined)
    endpoint.listen({ message: (message) => this.#receive(message), crash: (error) => this.#crash(error) })
  }

  /** The error of a crash, or undefined after disposal. */
  get ended(): Promise<WorkerCrashedError | undefined> {
    return this.#ended.promise
  }

  get isEnded(): boolean {
    return this.#end !== undefined
  }

  /** @throws {WorkerProtocolError} {WorkerCrashedError} */
  async greet(): Promise<void> {
    const life = `foretoken-worker-${crypto.randomUUID()}`
    this.#post({ kind: 'hello', protocol: PROTOCOL, life })
    await this.#greeted.promise
    this.#endpoint.watch(life)
  }

  /** One question and its answer. After an abort it rejects with the signal's reason, once the host has let go. */
  async call<Name extends CallName>(
    call: { readonly name: Name } & Calls[Name]['ask'] & Call,
    { transfer = [], signal, onProgress }: CallOptions = {},
  ): Promise<Calls[Name]['answer']> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Calls[Name]['answer']>()
    const id = this.#add({
      // the protocol types the answer by the name of the call, and both sides are of one version
      result: (value: Calls[Name]['answer']) => resolve(value),
      piece: () => undefined,
      end: () => undefined,
      fail: reject,
      progress: (progress) => onProgress?.(progress),
    })
    const abort = () => this.#postAbort(id)
    signal?.addEventListener('abort', abort)
    try {
      this.#send(id, { kind: 'call', id, call }, transfer)
      const answer = await promise
      signal?.throwIfAborted()
      return answer
    } catch (error) {
      throw signal?.aborted === true && this.#end === undefined ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Pieces that the host computes, as they are asked for. */
  stream(stream: StreamRequest, ahead: number, { signal, onProgress }: CallOptions = {}): PieceStream {
    let id = 0
    const pieces = new PieceStream({
      signal,
      begin: () => {
        id = this.#add({
          result: () => undefined,
          piece: (piece) => pieces.push(piece),
          end: () => pieces.end(),
          fail: (error) => pieces.fail(error),
          progress: (progress) => onProgress?.(progress),
        })
        this.#send(id, { kind: 'stream', id, stream, ahead })
      },
      ask: (count) => this.#post({ kind: 'ask', id, pieces: count }),
      leave: (ids) => this.#post({ kind: 'leave', id, ids }),
      abort: () => this.#postAbort(id),
    })
    return pieces
  }

  /** Lets the host give back what it holds, then ends the worker. Waiting requests fail with `DisposedError`. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose()
    return this.#disposal
  }

  async #dispose(): Promise<void> {
    if (this.#end === undefined) {
      const closing = this.call({ name: 'close' }).catch(() => undefined)
      const waiting = [...this.#pending.entries()].slice(0, -1)
      this.#end = { kind: 'disposed' }
      for (const [id, request] of waiting) {
        this.#remove(id)
        request.fail(disposedError())
      }
      let timer: ReturnType<typeof setTimeout> | undefined
      const limit = new Promise((resolve) => {
        timer = setTimeout(resolve, this.#endpoint.closingMs)
      })
      await Promise.race([closing, limit])
      clearTimeout(timer)
      this.#greeted.reject(disposedError())
    }
    await this.#endpoint.terminate()
    this.#ended.resolve(undefined)
  }

  #receive(message: unknown): void {
    if (!isToPage(message)) {
      this.#refuse('a message of another kind')
      return
    }
    if (message.kind === 'hello') this.#greetedBy(message.protocol)
    else if (message.kind === 'crash')
      void receiveError(message.error).then((cause) => this.#crash(crash('an error that nobody caught in the worker', cause)))
    else if (message.kind === 'failure') void receiveError(message.error).then((error) => this.#fail(message.id, error))
    else this.#answer(message)
  }

  #greetedBy(protocol: number): void {
    if (protocol === PROTOCOL) this.#greeted.resolve()
    else this.#refuse(`version ${protocol} of the messages`)
  }

  #refuse(found: string): void {
    const error = new WorkerProtocolError({
      field: 'worker',
      found,
      expected: `@foretoken/worker/entry with version ${PROTOCOL} of the messages`,
    })
    this.#greeted.reject(error)
    this.#crash(crash('a worker that speaks otherwise', error))
  }

  #answer(message: Exclude<ToPage, { kind: 'hello' | 'crash' | 'failure' }>): void {
    const request = this.#pending.get(message.id)
    // what was on its way when the page stopped waiting
    if (request === undefined) return
    if (message.kind === 'progress') request.progress(message.progress)
    else if (message.kind === 'piece') request.piece(message.piece)
    else {
      this.#remove(message.id)
      if (message.kind === 'result') request.result(message.value)
      else request.end()
    }
  }

  #fail(id: number, error: unknown): void {
    const request = this.#pending.get(id)
    if (request === undefined) return
    this.#remove(id)
    request.fail(error)
  }

  #crash(error: WorkerCrashedError): void {
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const request of waiting) request.fail(error)
    if (this.#end !== undefined) return
    this.#end = { kind: 'crashed', error }
    this.#greeted.reject(error)
    this.#ended.resolve(error)
    void this.#endpoint.terminate()
  }

  #add(pending: Pending): number {
    if (this.#end !== undefined) throw this.#end.kind === 'crashed' ? this.#end.error : disposedError()
    const id = this.#nextId++
    this.#pending.set(id, pending)
    this.#endpoint.hold(true)
    return id
  }

  #remove(id: number): void {
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#endpoint.hold(false)
  }

  /** What cannot be posted is no request. */
  #send(id: number, message: ToHost, transfer: ArrayBuffer[] = []): void {
    try {
      this.#post(message, transfer)
    } catch (error) {
      this.#remove(id)
      const found = error instanceof Error ? error.message : String(error)
      throw new UnsendableError({ found, expected: 'what can be copied to a worker' }, { cause: error })
    }
  }

  #postAbort(id: number): void {
    if (this.#pending.has(id)) this.#post({ kind: 'abort', id })
  }

  #post(message: ToHost, transfer: ArrayBuffer[] = []): void {
    this.#endpoint.post(message, transfer)
  }
}

function disposedError(): DisposedError {
  return new DisposedError({ field: 'model', found: 'a worker that was ended', expected: 'a model that is open' })
}
