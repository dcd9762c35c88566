import { DisposedError } from '@foretoken/tensor'
import type { Connection } from './connection.ts'
import type { HostedConversation } from './hosted-model.ts'

export class RemoteConversation implements HostedConversation {
  readonly #connection: Connection
  readonly #number: number
  #disposal: Promise<void> | undefined

  constructor(connection: Connection, number: number) {
    this.#connection = connection
    this.#number = number
  }

  /** @throws {DisposedError} */
  get number(): number {
    if (this.#disposal !== undefined) {
      throw new DisposedError({ field: 'conversation', found: 'one that was disposed of', expected: 'one that is open' })
    }
    return this.#number
  }

  isOf(connection: Connection): boolean {
    return connection === this.#connection
  }

  async tokens(): Promise<Int32Array> {
    return this.#connection.call({ name: 'tokens', conversation: this.number })
  }

  async bytes(): Promise<number> {
    return this.#connection.call({ name: 'bytes', conversation: this.number })
  }

  async fork(): Promise<HostedConversation> {
    return new RemoteConversation(this.#connection, await this.#connection.call({ name: 'fork', conversation: this.number }))
  }

  async truncate(length: number): Promise<void> {
    await this.#connection.call({ name: 'truncate', conversation: this.number, length })
  }

  async snapshot(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#connection.call({ name: 'snapshot', conversation: this.number })
  }

  /** With the worker its rows have gone as well. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#connection.isEnded
      ? Promise.resolve()
      : this.#connection.call({ name: 'forget', conversation: this.#number }).catch((error: unknown) => {
          if (!this.#connection.isEnded) throw error
        })
    return this.#disposal
  }
}
