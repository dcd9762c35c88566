/**
 * The worker's side of the messages: greets, loads one model, answers, and lets go. Every request runs by itself; what it throws becomes its answer.
 */
import { loadCausalLM } from '@foretoken/models'
import { loadRuntime } from '@foretoken/runtime'
import { DisposedError } from '@foretoken/tensor'
import { WorkerProtocolError } from '../errors.ts'
import { type Call, type Calls, isToHost, PROTOCOL, type Progress, type StreamRequest, type ToPage } from '../messages/protocol.ts'
import { sendError } from '../messages/sent-error.ts'
import { buffersOf } from '../messages/transfer.ts'
import { ModelHost } from './model-host.ts'
import { openSource } from './open-source.ts'
import { PacedPieces } from './paced-pieces.ts'
import type { Port } from './port.ts'
import { yieldingModel } from './yielding-model.ts'

interface Running {
  readonly abort: AbortController
  readonly pieces?: PacedPieces
  readonly done: Promise<void>
}

export function serve(port: Port, nextTurn: () => Promise<void>): void {
  const host = new Host(port, nextTurn)
  port.onUncaught((error) => port.post({ kind: 'crash', error: sendError(error) } satisfies ToPage, []))
  port.listen((message) => host.receive(message))
}

class Host {
  readonly #port: Port
  readonly #nextTurn: () => Promise<void>
  readonly #running = new Map<number, Running>()
  #model: ModelHost | undefined
  #isClosed = false

  constructor(port: Port, nextTurn: () => Promise<void>) {
    this.#port = port
    this.#nextTurn = nextTurn
  }

  receive(message: unknown): void {
    // bundlers' development servers talk to workers as well
    if (!isToHost(message)) return
    switch (message.kind) {
      case 'hello':
        // the other side compares the versions, and knows what to say
        void this.#port.holdLife(message.life).then(() => this.#post({ kind: 'hello', protocol: PROTOCOL }))
        return
      case 'call':
        this.#start(message.id, undefined, (signal) => this.#call(message.id, message.call, signal))
        return
      case 'stream': {
        const pieces = new PacedPieces(message.ahead)
        this.#start(message.id, pieces, (signal) => this.#stream(message.id, message.stream, pieces, signal))
        return
      }
      case 'ask':
        this.#running.get(message.id)?.pieces?.ask(message.pieces)
        return
      case 'leave':
        this.#running.get(message.id)?.pieces?.leave(message.ids)
        return
      case 'abort':
        this.#abort(message.id, new DOMException('the generation was aborted', 'AbortError'))
        return
    }
  }

  #start(id: number, pieces: PacedPieces | undefined, run: (signal: AbortSignal) => Promise<ToPage>): void {
    const abort = new AbortController()
    const answered = async () => {
      let answer: ToPage
      try {
        answer = await run(abort.signal)
      } catch (error) {
        answer = { kind: 'failure', id, error: sendError(error) }
      }
      this.#running.delete(id)
      this.#post(answer)
    }
    // a turn later: an abort that was sent with the request comes before its first step
    const done = Promise.resolve().then(answered)
    this.#running.set(id, { abort, done, ...(pieces === undefined ? {} : { pieces }) })
  }

  #abort(id: number, reason: unknown): void {
    const running = this.#running.get(id)
    running?.abort.abort(reason)
    running?.pieces?.abort(reason)
  }

  async #call(id: number, call: Call, signal: AbortSignal): Promise<ToPage> {
    const value = await this.#answer(id, call, signal)
    return { kind: 'result', id, value }
  }

  async #answer(id: number, call: Call, signal: AbortSignal): Promise<Calls[Call['name']]['answer']> {
    if (call.name === 'load') return await this.#load(id, call, signal)
    if (call.name === 'close') return await this.#close(id)
    return await this.#open().answer(call, { signal, onProgress: this.#progressOf(id) })
  }

  async #stream(id: number, stream: StreamRequest, pieces: PacedPieces, signal: AbortSignal): Promise<ToPage> {
    const context = { signal, onProgress: this.#progressOf(id) }
    await this.#open().run(stream, pieces, context, (piece) => this.#post({ kind: 'piece', id, piece }))
    return { kind: 'end', id }
  }

  async #load(id: number, { source, options }: Calls['load']['ask'], signal: AbortSignal): Promise<Calls['load']['answer']> {
    if (this.#model !== undefined) {
      throw new WorkerProtocolError({ field: 'load', found: 'a worker that has a model', expected: 'one worker for each model' })
    }
    const { runtime, hub, ...rest } = options
    const onProgress = this.#progressOf(id)
    const lm = await loadCausalLM(await openSource(source, signal), {
      ...rest,
      ...(runtime === undefined
        ? {}
        : { runtime: await loadRuntime({ ...(options.threads === undefined ? {} : { threads: options.threads }), ...runtime }) }),
      hub: { ...hub, onProgress: (progress) => onProgress({ phase: 'download', ...progress }) },
      onProgress,
      signal,
    })
    if (signal.aborted || this.#isClosed) {
      await lm[Symbol.asyncDispose]()
      signal.throwIfAborted()
    }
    this.#model = new ModelHost(yieldingModel(lm, this.#nextTurn))
    return this.#model.facts
  }

  async #close(id: number): Promise<undefined> {
    this.#isClosed = true
    const others = [...this.#running].filter(([other]) => other !== id)
    for (const [other] of others) this.#abort(other, closedError())
    await Promise.all(others.map(([, { done }]) => done))
    const model = this.#model
    this.#model = undefined
    await model?.[Symbol.asyncDispose]()
    return undefined
  }

  #progressOf(id: number): (progress: Progress) => void {
    return (progress) => this.#post({ kind: 'progress', id, progress })
  }

  #open(): ModelHost {
    if (this.#model === undefined) throw closedError()
    return this.#model
  }

  #post(message: ToPage): void {
    this.#port.post(message, message.kind === 'result' ? buffersOf(message.value) : [])
  }
}

function closedError(): DisposedError {
  return new DisposedError({ field: 'model', found: 'a worker without an open model', expected: 'a model that is open' })
}
