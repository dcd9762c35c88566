/**
 * A decoder that somebody else exported, behind the same step: one session, and feeds and results in the exporters' names. It computes
 * what its graph has and no more; a step that wants something else is refused with the name of the capability.
 */
import { createKvCache, type KvCache } from '@foretoken/kv-cache'
import { type Session, SessionError } from '@foretoken/runtime'
import { DisposedError, type Tensor } from '@foretoken/tensor'
import type { Tokenizer } from '@foretoken/tokenizers'
import type { Capabilities, CausalLM, DecodeStep, GenerationDefaults, MemoryUse, ModelConfig, Plan, StepResult } from '../causal-lm.ts'
import { CountedCaches } from '../counted-caches.ts'
import { StepError } from '../errors.ts'
import { type CheckedStep, checkStep } from '../step/check-step.ts'
import { StepQueue } from '../step/step-queue.ts'
import type { ExportedDescription } from './exported-config.ts'
import type { ExportedInterface } from './exported-interface.ts'
import { checkExportedStep, exportedFeeder, exportedFetches, exportedResult } from './exported-step.ts'

/** Rows of a step: the graph returns the logits of all of them, and they are as wide as the vocabulary. */
const MOST_ROWS = 256

export interface ExportedModelOptions {
  readonly name: string
  readonly graph: ExportedInterface
  readonly description: ExportedDescription
  /** Closed with the model. */
  readonly session: Session
  readonly plan: Plan
  readonly tokenizer?: Tokenizer
  readonly generationDefaults: GenerationDefaults
  readonly weightsBytes: number
  readonly graphBytes: number
}

export class ExportedModel implements CausalLM {
  readonly config: ModelConfig
  readonly capabilities: Capabilities
  readonly plan: Plan
  readonly tokenizer?: Tokenizer
  readonly generationDefaults: GenerationDefaults
  readonly #options: ExportedModelOptions
  readonly #feedsOf: (step: DecodeStep, checked: CheckedStep) => ReadonlyMap<string, Tensor>
  readonly #caches = new CountedCaches()
  readonly #queue = new StepQueue(async ([step]) => (step === undefined ? [] : [{ result: await this.#run(step) }]))
  #isDisposed = false

  constructor(options: ExportedModelOptions) {
    const { graph, description } = options
    this.#options = options
    this.config = description.config
    const takesPairs = graph.mask?.kind === 'pairs'
    this.capabilities = {
      treeVisibility: takesPairs,
      blockVisibility: takesPairs,
      embeddingsInput: false,
      hiddenStates: false,
      attentionScores: false,
      topK: true,
    }
    this.plan = options.plan
    if (options.tokenizer !== undefined) this.tokenizer = options.tokenizer
    this.generationDefaults = options.generationDefaults
    this.#feedsOf = exportedFeeder(graph, description.layers)
  }

  createCache(): KvCache {
    this.#requireOpen()
    const cache = createKvCache(this.#options.description.layers)
    this.#caches.add(cache)
    return cache
  }

  async forward(step: DecodeStep): Promise<StepResult> {
    this.#requireOpen()
    return this.#queue.add(step, undefined)
  }

  async forwardBatch(steps: readonly DecodeStep[]): Promise<readonly StepResult[]> {
    const results: StepResult[] = []
    for (const step of steps) results.push(await this.forward(step))
    return results
  }

  /** The branch of a merged decoder for a filled cache was traced with one row: several come without a mask among them in some graphs. */
  maxSteps(cache: KvCache): number {
    if (!this.#options.graph.hasCacheBranch) return MOST_ROWS
    return cache.length > 0 ? 1 : this.config.maxPositions
  }

  memory(): MemoryUse {
    const { weightsBytes, graphBytes } = this.#options
    return { weightsBytes, graphBytes, cacheBytes: this.#caches.bytes }
  }

  /** Waits for the step under way, then gives back the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#queue.drained()
    await this.#options.session[Symbol.asyncDispose]()
  }

  #requireOpen(): void {
    if (this.#isDisposed) {
      throw new DisposedError({ field: this.#options.name, found: 'a model that was disposed of', expected: 'an open model' })
    }
  }

  async #run(step: DecodeStep): Promise<StepResult> {
    step.signal?.throwIfAborted()
    const { graph, description, session } = this.#options
    const checked = checkStep(step, description)
    checkExportedStep(step, checked, graph, description)
    const feeds = this.#feedsOf(step, checked)
    const fetches = exportedFetches(step, description.layers.length)
    const start = performance.now()
    const outputs = await session.run(feeds, fetches, step.signal === undefined ? {} : { signal: step.signal }).catch((cause: unknown) => {
      throw beyondPositions(cause, checked, description)
    })
    return exportedResult({ graph, description, step, checked, outputs, elapsedMs: performance.now() - start })
  }
}

/** Tables that were traced into a graph end without a word about it in its inputs: what the runtime says of them names a node. */
function beyondPositions(cause: unknown, { positions }: CheckedStep, { config }: ExportedDescription): unknown {
  const last = positions.reduce((most, position) => Math.max(most, position), 0)
  if (!(cause instanceof SessionError) || last < config.maxPositions) return cause
  const expected = `positions below ${config.maxPositions}, which config.json says; the graph ended with: ${cause.message}`
  return new StepError({ field: 'positions', found: `${last}`, expected }, { cause })
}
