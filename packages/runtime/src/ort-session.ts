/**
 * A session of ONNX Runtime behind our interface; the same for the native and the wasm library, whose JavaScript side both come
 * from `onnxruntime-common`. Feeds are handed over as they are and read in place.
 */
import { DisposedError, type Tensor } from '@foretoken/tensor'
import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-common'
import { SessionError, textOf } from './errors.ts'
import { checkFeeds, checkFetches } from './feed-check.ts'
import type { Session, ValueInfo } from './session.ts'

// Fatal: what goes wrong is thrown, and a library prints nothing.
export const LOG_NOTHING = { logSeverityLevel: 4 } as const

export class OrtSession implements Session {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly #graph: string
  readonly #native: InferenceSession
  /** Settles when the last run in the queue has ended; never rejects. */
  #queue: Promise<void> = Promise.resolve()
  #disposal: Promise<void> | undefined

  /**
   * @param graph   what errors call it
   * @param native  owned from here on
   * @throws {SessionError} for inputs or outputs that are not tensors of numbers
   */
  constructor(graph: string, native: InferenceSession) {
    this.#graph = graph
    this.#native = native
    this.inputs = native.inputMetadata.map((value) => valueInfo(graph, value))
    this.outputs = native.outputMetadata.map((value) => valueInfo(graph, value))
  }

  async run(
    feeds: ReadonlyMap<string, Tensor>,
    fetches: readonly string[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<string, Tensor>> {
    this.#checkOpen()
    signal?.throwIfAborted()
    checkFeeds(this.#graph, this.inputs, feeds)
    checkFetches(this.#graph, this.outputs, fetches)
    const turn = this.#queue
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#queue = promise
    try {
      await turn
      this.#checkOpen()
      signal?.throwIfAborted()
      return await this.#runNative(feeds, fetches)
    } finally {
      resolve()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#queue.then(() => this.#native.release())
    return this.#disposal
  }

  async #runNative(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    const given: Record<string, OnnxValue> = {}
    for (const { name } of this.inputs) {
      const tensor = feeds.get(name)
      if (tensor !== undefined) given[name] = asOrtValue(tensor)
    }
    let results: Readonly<Record<string, OnnxValue>>
    try {
      results = await this.#native.run(given, [...fetches], LOG_NOTHING)
    } catch (cause) {
      throw new SessionError({ file: this.#graph, field: 'run', found: textOf(cause), expected: 'a run without errors' }, { cause })
    }
    const outputs = new Map<string, Tensor>()
    for (const name of fetches) {
      const result = results[name]
      if (result === undefined) throw new SessionError({ file: this.#graph, tensor: name, found: 'no output', expected: 'one' })
      outputs.set(name, plainTensor(this.#graph, name, result))
    }
    return outputs
  }

  #checkOpen(): void {
    if (this.#disposal !== undefined)
      throw new DisposedError({ file: this.#graph, found: 'a disposed session', expected: 'one that is open' })
  }
}

/**
 * Both libraries read `type`, `dims`, `data` and `location` of a feed and nothing else, so our plain data stand for their class.
 * (An instance of their class would not do for float16: where `Float16Array` exists it wraps the bits in one, which the native library cannot read.)
 */
function asOrtValue(tensor: Tensor): OnnxValue {
  return tensor as unknown as OnnxValue
}

function plainTensor(graph: string, name: string, result: OnnxValue): Tensor {
  const type = dtypeOf(graph, name, result.type)
  const { dims, size } = result
  let data: unknown = result.data
  // float16 arrives as Float16Array where the engine has one; we hold bits everywhere.
  if (type === 'float16' && ArrayBuffer.isView(data)) data = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
  // The runtime allocated the array that belongs to the type.
  return { type, dims: [...dims], data: data as Tensor['data'], location: 'cpu', size }
}

function valueInfo(graph: string, value: InferenceSession.ValueMetadata): ValueInfo {
  if (!value.isTensor)
    throw new SessionError({ file: graph, tensor: value.name, found: 'a sequence, map or optional', expected: 'a tensor' })
  return { name: value.name, type: dtypeOf(graph, value.name, value.type), dims: [...value.shape] }
}

function dtypeOf(graph: string, name: string, type: OrtTensor.Type): Tensor['type'] {
  if (type === 'string') throw new SessionError({ file: graph, tensor: name, found: 'strings', expected: 'a tensor of numbers' })
  return type
}
