/** The model that is open, or on its way, or failed to open. One at a time. */

import type { MemoryUse } from '@foretoken/models'
import { describeFailure, type Failure } from '../lib/describe-failure.ts'
import { lastModel } from '../lib/last-model.ts'
import { type ModelRequest, requestName } from '../lib/model-request.ts'
import type { LoadProgress, ModelSession } from '../lib/model-session.ts'
import { openWorkerSession } from '../lib/worker-session.ts'
import { settings } from './settings.svelte.ts'
import { view } from './view.svelte.ts'

/** `?hub=https://…` takes models from a mirror. */
const HUB = new URLSearchParams(location.search).get('hub')

interface Loading {
  readonly name: string
  readonly progress: LoadProgress | undefined
}

class Model {
  session = $state.raw<ModelSession | undefined>(undefined)
  loading = $state.raw<Loading | undefined>(undefined)
  failure = $state.raw<Failure | undefined>(undefined)
  memory = $state.raw<MemoryUse | undefined>(undefined)
  /** What was loaded last, or tried. */
  request = $state.raw<ModelRequest | undefined>(undefined)
  /** Of the session that is open. */
  loadMs = $state(0)
  #abort: AbortController | undefined

  /**
   * @param isOnlyKept  opens what this browser has kept, and is silent when it has not: nothing is downloaded that nobody asked for
   * @param before      closes what hangs on the model that was open until now
   */
  async load(request: ModelRequest, isOnlyKept: boolean, before: () => Promise<void>): Promise<void> {
    this.cancel()
    this.request = request
    const abort = new AbortController()
    this.#abort = abort
    const name = requestName(request)
    this.failure = undefined
    this.loading = { name, progress: undefined }
    view.announce(`Loading ${name}`)
    try {
      await before()
      await this.close()
      const start = performance.now()
      const session = await openWorkerSession(request, {
        isOnlyKept,
        provider: settings.value.provider,
        ...(HUB === null ? {} : { endpoint: HUB }),
        signal: abort.signal,
        onProgress: (progress) => {
          if (this.#abort === abort) this.loading = { name, progress }
        },
      })
      if (this.#abort !== abort) {
        await session[Symbol.asyncDispose]()
        return
      }
      this.loadMs = performance.now() - start
      this.session = session
      this.#watch(session)
      await this.measure()
      lastModel.remember(request)
      view.announce(`${name} is ready`)
    } catch (error) {
      if (abort.signal.aborted || isOnlyKept) return
      this.failure = describeFailure(error)
    } finally {
      if (this.#abort === abort) this.loading = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
    this.#abort = undefined
    this.loading = undefined
  }

  fail(error: unknown): void {
    this.failure = describeFailure(error)
  }

  async measure(): Promise<void> {
    try {
      this.memory = await this.session?.memory()
    } catch {
      // a model that is gone says so through `lost`
    }
  }

  async close(): Promise<void> {
    const open = this.session
    this.session = undefined
    this.memory = undefined
    await open?.[Symbol.asyncDispose]()
  }

  #watch(session: ModelSession): void {
    session.lost.catch((error: unknown) => {
      if (this.session !== session) return
      this.session = undefined
      this.fail(error)
    })
  }
}

export const model = new Model()
