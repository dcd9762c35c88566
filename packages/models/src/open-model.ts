/**
 * A model as it runs: a session for the graph that is needed, feeds made from steps, results made from outputs. Calls are queued, and single
 * rows of several sequences share a run (`step/step-queue.ts`);
 * a step that wants an output which the open graph lacks reopens it with that output, so there is never more than one set of weights.
 */
import {
  canShareRows,
  createKvCache,
  type KvCache,
  type LayerShape,
  ownRows,
  type StorageType,
  shareRows,
  sharesRows,
} from '@foretoken/kv-cache'
import type { Session } from '@foretoken/runtime'
import { DisposedError } from '@foretoken/tensor'
import type { Tokenizer } from '@foretoken/tokenizers'
import { scaleFeeds } from './adapters/adapter-scales.ts'
import type { LoraAdapter } from './adapters/lora-adapter.ts'
import type { LayerDescription } from './architectures/architecture.ts'
import type { Capabilities, CausalLM, DecodeStep, GenerationDefaults, MemoryUse, ModelConfig, Plan, StepResult } from './causal-lm.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { CountedCaches } from './counted-caches.ts'
import { covers, type OutputSet, outputsFor, union } from './decoder/outputs.ts'
import type { OpenGraph } from './open-graph.ts'
import { withRopeLimits } from './rope/context-length.ts'
import { BLOCK } from './step/attention-feeds.ts'
import { type CheckedStep, checkStep } from './step/check-step.ts'
import { shareGroups } from './step/share-groups.ts'
import { shareKeyOf } from './step/share-key.ts'
import { type StepFeeder, stepFeeder } from './step/step-feeds.ts'
import { type StepOutcome, StepQueue } from './step/step-queue.ts'
import { fetchesFor, stepResult } from './step/step-result.ts'
import { visibilityOf } from './step/visibility.ts'

const RECURRENT_NOTE = 'steps of several sequences run one after another: recurrent layers carry a state each'

export interface OpenModelOptions {
  readonly checkpoint: Checkpoint
  readonly plan: Plan
  readonly graph: OpenGraph
  /** How cached rows are held. */
  readonly cacheType: StorageType
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
  readonly #feeder: StepFeeder
  /** Bytes of a block of cached rows of one sequence. */
  readonly #blockBytes: number
  readonly #queue = new StepQueue((steps) => this.#run(steps))
  readonly #caches = new CountedCaches()
  #graph: OpenGraph | undefined
  #isDisposed = false

  constructor(options: OpenModelOptions) {
    const { checkpoint } = options
    this.#options = options
    this.#graph = options.graph
    this.config = withRopeLimits(checkpoint.description.config, checkpoint.description.layers)
    if (checkpoint.tokenizer !== undefined) this.tokenizer = checkpoint.tokenizer
    this.generationDefaults = checkpoint.generationDefaults
    this.#layers = checkpoint.description.layers.map(layerShape)
    const rowNumbers = this.#layers.reduce((sum, { kvHeads, keyDim, valueDim }) => sum + kvHeads * (keyDim + valueDim), 0)
    this.#blockBytes = (options.cacheType === 'float16' ? 2 : 4) * BLOCK * rowNumbers
    const isRecurrent = this.#layers.some(({ recurrent }) => recurrent !== undefined)
    this.plan = isRecurrent ? { ...options.plan, notes: [...options.plan.notes, RECURRENT_NOTE] } : options.plan
    this.capabilities = {
      treeVisibility: true,
      blockVisibility: !isRecurrent,
      embeddingsInput: true,
      hiddenStates: true,
      attentionScores: !isRecurrent,
      topK: true,
      sharedSteps: !isRecurrent,
    }
    this.#feeder = stepFeeder(checkpoint.description, options.cacheType)
  }

  createCache(): KvCache {
    this.#requireOpen()
    const cache = createKvCache(this.#layers, { storage: this.#options.cacheType })
    this.#caches.add(cache)
    return cache
  }

  async forward(step: DecodeStep): Promise<StepResult> {
    // where rows are not the same bits together, who else happens to be there must not change them
    return this.#add(step, this.plan.exact)
  }

  async forwardBatch(steps: readonly DecodeStep[]): Promise<readonly StepResult[]> {
    const settled = await Promise.allSettled(steps.map(async (step) => this.#add(step, true)))
    return settled.map((each) => {
      if (each.status === 'rejected') throw each.reason
      return each.value
    })
  }

  maxSteps(cache: KvCache): number {
    // a state has no cuts
    return this.#layers.every(({ recurrent }) => recurrent !== undefined) ? BLOCK : BLOCK - (cache.length % BLOCK)
  }

  memory(): MemoryUse {
    return { weightsBytes: this.#graph?.weightsBytes ?? 0, graphBytes: this.#graph?.graphBytes ?? 0, cacheBytes: this.#caches.bytes }
  }

  /** Waits for the step under way, then gives back the session, the weights and the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#queue.drained()
    await this.#graph?.[Symbol.asyncDispose]()
    this.#graph = undefined
    await this.#options.checkpoint[Symbol.asyncDispose]()
  }

  #requireOpen(): void {
    if (this.#isDisposed) {
      throw new DisposedError({ field: this.#options.checkpoint.name, found: 'a model that was disposed of', expected: 'an open model' })
    }
  }

  #add(step: DecodeStep, mayShare: boolean): Promise<StepResult> {
    this.#requireOpen()
    return this.#queue.add(step, mayShare && this.capabilities.sharedSteps ? shareKeyOf(step, this.config.hidden) : undefined)
  }

  /** Steps with one share key. One that fails its checks, or was aborted, is no concern of the others. */
  async #run(steps: readonly DecodeStep[]): Promise<readonly StepOutcome[]> {
    const outcomes: StepOutcome[] = []
    const ready: { readonly step: DecodeStep; readonly checked: CheckedStep; readonly index: number }[] = []
    for (const [index, step] of steps.entries()) {
      try {
        ready.push({ step, checked: this.#check(step), index })
      } catch (error) {
        outcomes[index] = { error }
      }
    }
    const together = ready.filter(({ step }) => steps.length > 1 && canShareRows(step.cache))
    const blocks = together.map(({ step }) => Math.floor(step.cache.length / BLOCK))
    const groups = shareGroups(blocks, this.#graph?.weightsBytes ?? 0, this.#blockBytes)
    const runs = groups.map((group) => group.flatMap((member) => together[member] ?? []))
    for (const each of ready) if (!together.includes(each)) runs.push([each])
    for (const members of runs) {
      try {
        const results = await this.#runShared(members)
        for (const [at, { index }] of members.entries()) {
          const result = results[at]
          if (result !== undefined) outcomes[index] = { result }
        }
      } catch (error) {
        for (const { index } of members) outcomes[index] = { error }
      }
    }
    return outcomes
  }

  #check(step: DecodeStep): CheckedStep {
    step.signal?.throwIfAborted()
    const checked = checkStep(step, { ...this.#options.checkpoint.description, layers: this.#layers, cacheType: this.#options.cacheType })
    visibilityOf(step.visibility, checked.steps)
    scaleFeeds(this.#options.adapters, step.adapters)
    return checked
  }

  /** Single rows of distinct caches in one run; a step by itself where there is one and nothing that its cache shares rows with. */
  async #runShared(members: readonly { readonly step: DecodeStep; readonly checked: CheckedStep }[]): Promise<readonly StepResult[]> {
    const [first] = members
    if (first === undefined) return []
    if (members.length === 1) {
      const { step, checked } = first
      const staysShared = checked.steps === 1 && sharesRows(step.cache) && step.want.scores === undefined
      if (!staysShared || shareRows([step.cache], BLOCK).slots === 1) {
        ownRows(step.cache)
        return [await this.#runAlone(step, checked)]
      }
    }
    const session = await this.#sessionFor(outputsFor(first.step.want, first.step.tokens instanceof Float32Array))
    const graph = this.#openGraph()
    const caches = members.map(({ step }) => step.cache)
    // one of them answers for the bytes of all, and that may be a fork
    for (const cache of caches) this.#caches.add(cache)
    const rows = shareRows(caches, BLOCK)
    const { description } = this.#options.checkpoint
    const seated = members.map((member) => ({ ...member, slot: rows.slotOf(member.step.cache) ?? 0 }))
    const feeds = new Map([...this.#feeder.together(seated, rows), ...scaleFeeds(this.#options.adapters, first.step.adapters)])
    const start = performance.now()
    const outputs = await session.run(feeds, fetchesFor(first.step, 1, description.layers))
    const elapsedMs = performance.now() - start
    return seated.map(({ step, checked, slot }, index) =>
      stepResult({
        description,
        step,
        checked,
        outputs,
        graphOutputs: graph.outputs,
        ranges: [],
        ranSteps: rows.slots,
        elapsedMs,
        firstRow: slot,
        firstWanted: index,
      }),
    )
  }

  async #runAlone(step: DecodeStep, checked: CheckedStep): Promise<StepResult> {
    const { description } = this.#options.checkpoint
    const session = await this.#sessionFor(outputsFor(step.want, step.tokens instanceof Float32Array))
    const graph = this.#openGraph()
    const [ran, ranChecked] = checked.steps === 1 && graph.needsTwoRows ? padded(step, checked, this.config) : [step, checked]
    const { feeds, ranges } = this.#feeder.alone(ran, ranChecked)
    const scales = scaleFeeds(this.#options.adapters, step.adapters)
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

  #openGraph(): OpenGraph {
    if (this.#graph === undefined) throw new RangeError('a session without a graph')
    return this.#graph
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
