/**
 * A model as it runs: a session for the graph that is needed, feeds made from steps, results made from outputs. Calls are queued;
 * a step that wants an output which the open graph lacks reopens it with that output, so there is never more than one set of weights.
 */
import { createKvCache, type KvCache, type LayerShape } from '@foretoken/kv-cache'
import type { Session } from '@foretoken/runtime'
import { DisposedError } from '@foretoken/tensor'
import type { Tokenizer } from '@foretoken/tokenizers'
import { scaleFeeds } from './adapters/adapter-scales.ts'
import type { LoraAdapter } from './adapters/lora-adapter.ts'
import type { LayerDescription } from './architectures/architecture.ts'
import type { Capabilities, CausalLM, DecodeStep, GenerationDefaults, MemoryUse, ModelConfig, Plan, StepResult } from './causal-lm.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { covers, type OutputSet, outputsFor, union } from './decoder/outputs.ts'
import type { OpenGraph } from './open-graph.ts'
import { withRopeLimits } from './rope/context-length.ts'
import { BLOCK } from './step/attention-feeds.ts'
import { type CheckedStep, checkStep } from './step/check-step.ts'
import { type StepFeeds, stepFeeder } from './step/step-feeds.ts'
import { fetchesFor, stepResult } from './step/step-result.ts'

export interface OpenModelOptions {
  readonly checkpoint: Checkpoint
  readonly plan: Plan
  readonly graph: OpenGraph
  readonly adapters: readonly LoraAdapter[]
  /** Opens the graph with these outputs. */
  openGraph(outputs: OutputSet): Promise<OpenGraph>
}

export class OpenModel implements CausalLM {
  readonly config: ModelConfig
  readonly capabilities: Capabilities
  readonly plan: Plan
  readonly tokenizer?: Tokenizer
  readonly generationDefaults: GenerationDefaults
  readonly #options: OpenModelOptions
  readonly #layers: readonly LayerShape[]
  readonly #feedsOf: (step: DecodeStep, checked: CheckedStep) => StepFeeds
  readonly #caches = new Set<WeakRef<KvCache>>()
  #graph: OpenGraph | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #isDisposed = false

  constructor(options: OpenModelOptions) {
    const { checkpoint } = options
    this.#options = options
    this.#graph = options.graph
    this.config = withRopeLimits(checkpoint.description.config, checkpoint.description.layers)
    this.plan = options.plan
    if (checkpoint.tokenizer !== undefined) this.tokenizer = checkpoint.tokenizer
    this.generationDefaults = checkpoint.generationDefaults
    this.#layers = checkpoint.description.layers.map(layerShape)
    const isRecurrent = this.#layers.some(({ recurrent }) => recurrent !== undefined)
    this.capabilities = {
      treeVisibility: true,
      blockVisibility: !isRecurrent,
      embeddingsInput: true,
      hiddenStates: true,
      attentionScores: !isRecurrent,
      topK: true,
    }
    this.#feedsOf = stepFeeder(checkpoint.description)
  }

  createCache(): KvCache {
    this.#requireOpen()
    const cache = createKvCache(this.#layers)
    this.#caches.add(new WeakRef(cache))
    return cache
  }

  async forward(step: DecodeStep): Promise<StepResult> {
    return this.#enqueue(() => this.#run(step))
  }

  async forwardBatch(steps: readonly DecodeStep[]): Promise<readonly StepResult[]> {
    const results: StepResult[] = []
    for (const step of steps) results.push(await this.forward(step))
    return results
  }

  maxSteps(cache: KvCache): number {
    // a state has no cuts
    return this.#layers.every(({ recurrent }) => recurrent !== undefined) ? BLOCK : BLOCK - (cache.length % BLOCK)
  }

  memory(): MemoryUse {
    let cacheBytes = 0
    for (const reference of this.#caches) {
      const cache = reference.deref()
      if (cache === undefined) this.#caches.delete(reference)
      else cacheBytes += cache.bytes
    }
    return { weightsBytes: this.#graph?.weightsBytes ?? 0, graphBytes: this.#graph?.graphBytes ?? 0, cacheBytes }
  }

  /** Waits for the step under way, then gives back the session, the weights and the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#queue.catch(() => undefined)
    await this.#graph?.[Symbol.asyncDispose]()
    this.#graph = undefined
    await this.#options.checkpoint[Symbol.asyncDispose]()
  }

  #requireOpen(): void {
    if (this.#isDisposed) {
      throw new DisposedError({ field: this.#options.checkpoint.name, found: 'a model that was disposed of', expected: 'an open model' })
    }
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen()
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return result
  }

  async #run(step: DecodeStep): Promise<StepResult> {
    step.signal?.throwIfAborted()
    const { description } = this.#options.checkpoint
    const checked = checkStep(step, { ...description, layers: this.#layers })
    const scales = scaleFeeds(this.#options.adapters, step.adapters)
    const session = await this.#sessionFor(outputsFor(step.want, step.tokens instanceof Float32Array))
    const graph = this.#graph
    if (graph === undefined) throw new RangeError('a session without a graph')
    const [ran, ranChecked] = checked.steps === 1 && graph.needsTwoRows ? padded(step, checked, this.config) : [step, checked]
    const { feeds, ranges } = this.#feedsOf(ran, ranChecked)
    const allFeeds = scales.length === 0 ? feeds : new Map([...feeds, ...scales])
    const start = performance.now()
    const fetches = fetchesFor(step, checked.steps, description.layers)
    const outputs = await session.run(allFeeds, fetches, step.signal === undefined ? {} : { signal: step.signal })
    return stepResult({
      description,
      step,
      checked,
      outputs,
      graphOutputs: graph.outputs,
      ranges,
      ranSteps: ranChecked.steps,
      elapsedMs: performance.now() - start,
    })
  }

  async #sessionFor(needs: OutputSet): Promise<Session> {
    const open = this.#graph
    if (open !== undefined && covers(open.outputs, needs)) return open.session
    const outputs = open === undefined ? needs : union(open.outputs, needs)
    // closed first: two sessions would hold the weights twice
    await open?.[Symbol.asyncDispose]()
    this.#graph = undefined
    this.#graph = await this.#options.openGraph(outputs)
    return this.#graph.session
  }
}

function layerShape({ kvHeads, keyDim, valueDim, recurrent }: LayerDescription): LayerShape {
  const rows = { kvHeads, keyDim, valueDim }
  if (recurrent === undefined) return rows
  const { inputWidth, window, stateDims } = recurrent
  return { ...rows, recurrent: { inputWidth, window, stateSize: stateDims.reduce((product, dim) => product * dim, 1) } }
}

/**
 * A single row with a copy of itself beside it that nobody reads: products of 4-bit blocks differ between one row and several. A copy, because
 * any other row would go to experts of its own.
 */
function padded(step: DecodeStep, checked: CheckedStep, config: ModelConfig): [DecodeStep, CheckedStep] {
  const position = checked.positions[0] ?? 0
  const positions = Int32Array.of(position, position)
  const tokens =
    step.tokens instanceof Float32Array ? twice(step.tokens, new Float32Array(2 * config.hidden)) : twice(step.tokens, new Int32Array(2))
  return [
    { ...step, tokens, positions, visibility: { kind: 'tree', parents: Int32Array.of(-1, -1) } },
    { steps: 2, positions, wantedRows: checked.wantedRows },
  ]
}

function twice<T extends Float32Array | Int32Array>(row: T, out: T): T {
  out.set(row)
  out.set(row, row.length)
  return out
}
