/**
 * Steps wait here while the session is busy, and those that can share a run of it go together: the rows of eight sequences read the weights
 * once. Whoever has just got a result is given a turn of the event loop to come back with its next step, so that loops which run beside
 * each other fall into step. A single sequence never waits.
 */
import type { KvCache } from '@foretoken/kv-cache'
import type { DecodeStep, StepResult } from '../causal-lm.ts'

/** What became of a step of a run. */
export type StepOutcome = { readonly result: StepResult } | { readonly error: unknown }

interface WaitingStep {
  readonly step: DecodeStep
  /** Steps with the same key can share a run; one without runs alone. */
  readonly shareKey: string | undefined
  readonly settle: (outcome: StepOutcome) => void
}

export class StepQueue {
  readonly #run: (steps: readonly DecodeStep[]) => Promise<readonly StepOutcome[]>
  #waiting: WaitingStep[] = []
  #work: Promise<void> | undefined

  /** @param run  one outcome for each step, in order; rejects only where all of them fail */
  constructor(run: (steps: readonly DecodeStep[]) => Promise<readonly StepOutcome[]>) {
    this.#run = run
  }

  add(step: DecodeStep, shareKey: string | undefined): Promise<StepResult> {
    const { promise, resolve, reject } = Promise.withResolvers<StepResult>()
    const settle = (outcome: StepOutcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.result))
    this.#waiting.push({ step, shareKey, settle })
    this.#work ??= this.#runAll().finally(() => {
      this.#work = undefined
    })
    return promise
  }

  /** Resolves when no step waits or runs. */
  async drained(): Promise<void> {
    while (this.#work !== undefined) await this.#work
  }

  async #runAll(): Promise<void> {
    // steps that are added together are seen together
    await undefined
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch()
      const outcomes = await this.#outcomesOf(batch)
      for (const [index, { settle }] of batch.entries()) settle(outcomes[index] ?? { error: new RangeError('a step without an outcome') })
      const isShared = batch[0]?.shareKey !== undefined && (batch.length > 1 || this.#waiting.length > 0)
      if (isShared) await nextTurn()
    }
  }

  async #outcomesOf(batch: readonly WaitingStep[]): Promise<readonly StepOutcome[]> {
    try {
      return await this.#run(batch.map(({ step }) => step))
    } catch (error) {
      return batch.map(() => ({ error }))
    }
  }

  /** The step that has waited longest with all that can join it; none overtakes a step of the same cache. */
  #nextBatch(): readonly WaitingStep[] {
    const [first, ...others] = this.#waiting
    if (first === undefined) return []
    const batch = [first]
    const left: WaitingStep[] = []
    const seen = new Set<KvCache>([first.step.cache])
    for (const each of others) {
      const isOther = !seen.has(each.step.cache)
      seen.add(each.step.cache)
      if (isOther && first.shareKey !== undefined && each.shareKey === first.shareKey) batch.push(each)
      else left.push(each)
    }
    this.#waiting = left
    return batch
  }
}

/** After everything that is due in this turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
