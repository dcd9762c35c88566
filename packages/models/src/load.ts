/** Opening a model: find the checkpoint, choose the formats, convert the weights, open the session, see what it can promise. */
import { loadRuntime, type Runtime } from '@foretoken/runtime'
import { ArgumentError } from '@foretoken/tensor'
import { blobFiles, type ChosenFiles, isChosenFiles } from '@foretoken/weights'
import { describeProcessor, locateWeights } from '#platform'
import { adapterNotes } from './adapters/adapter-scales.ts'
import type { AdapterOptions, LoraAdapter } from './adapters/lora-adapter.ts'
import type { CausalLM, Plan } from './causal-lm.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { withFirstLayers } from './checkpoint/first-layers.ts'
import { withHeadTokens } from './checkpoint/head-tokens.ts'
import { openCheckpoint, openCheckpointFiles } from './checkpoint/open-checkpoint.ts'
import { CACHE_FORMATS, type CacheFormat, cacheTypeFor } from './decoder/cache-type.ts'
import { PLAIN_OUTPUTS } from './decoder/outputs.ts'
import { type ChosenPacking, choosePacking, packingFor } from './decoder/packing.ts'
import { signedNote } from './decoder/signed-weights.ts'
import { type Packing, WEIGHT_FORMATS, type WeightFormat } from './decoder/weight-formats.ts'
import type { ExportedChoice } from './exported/exported-files.ts'
import { type FindOutOptions, findOut } from './findings.ts'
import type { HubAccess } from './hub-access.ts'
import { type Located, locateAmong } from './locate/located-files.ts'
import { type GraphOptions, type OpenGraph, openGraph } from './open-graph.ts'
import { OpenModel } from './open-model.ts'
import type { ConversionProgress } from './stored-model.ts'

export interface LoadOptions {
  /** How linear layers are packed, `auto` by default: floats in float32, a quantised file in rotated rows of 8-bit integers where the architecture allows it. */
  readonly format?: WeightFormat
  /** How cached keys and values are held, `auto` by default: in float16 where weights are rounded, else in float32. */
  readonly cache?: CacheFormat
  /**
   * Opens the first layers alone, before the model's own final norm and head: a draft of the whole model, and no good for anything else.
   * Default: all.
   */
  readonly layers?: number
  /**
   * Gives logits of these tokens alone, ascending ids: for drafts, whose head is the dearest part of a small model (`config.headTokens`). Nothing
   * generates with such a model. Default: all.
   */
  readonly headTokens?: Int32Array
  /** LoRA adapters in PEFT's form, several at once. */
  readonly adapters?: readonly AdapterOptions[]
  /** Threads inside an operator; as many as physical cores by default. */
  readonly threads?: number
  /** The runtime to open the graph on; the one that is installed by default. */
  readonly runtime?: Runtime
  /**
   * Folder that keeps converted weights for later starts: on disk in Node, in the files of the origin in a page. Without it they live in a temporary file as
   * long as the model, in a page in memory until the model is open.
   */
  readonly convertedFolder?: string
  /** What `convertedFolder` may take in bytes; without it nothing is removed there. Entries that were not used for longest go first, never the one in use. */
  readonly convertedLimitBytes?: number
  /**
   * Opens a graph that was exported (`onnx/model*.onnx`) although the source has other weights too; `variant` picks one of several by
   * the end of its name, `q4` for `model_q4.onnx`. Without it a graph is opened where there is nothing else, or where `source` is one.
   */
  readonly exported?: ExportedChoice
  /** How a repository of the hub is reached, where `source` is one. */
  readonly hub?: HubAccess
  /** Whether to try that rows are the same bits alone and together, true by default. `plan.exact` is false without it. */
  readonly selfTest?: boolean
  readonly onProgress?: (progress: LoadProgress) => void
  readonly signal?: AbortSignal
}

/** Spent at the first start with weights that are kept. */
const STEP_TIMES_BUDGET_MS = 1000

export type LoadProgress = { readonly phase: 'convert' } & ConversionProgress

/**
 * Opens a language model.
 *
 * @param source  a folder with config.json and safetensors, a .gguf file, an exported .onnx file, a repository of the hub (`organisation/name[@revision][/file.gguf]`),
 *                files that a user chose or dropped, or a checkpoint that is open already (it is closed with the model)
 * @returns       the open model; dispose of it to free the session, the weights and the files
 * @throws        {ConfigError} {CheckpointError} {UnsupportedArchitectureError} and the errors of `@foretoken/weights`, `/tokenizers`, `/runtime`
 */
export async function loadCausalLM(source: string | Checkpoint | ChosenFiles, options: LoadOptions = {}): Promise<CausalLM> {
  return loadPacked(source, options, choosePacking)
}

/** @internal With another choice of the packing, so that a rotation can be tested without rounding. */
export async function loadPacked(
  source: string | Checkpoint | ChosenFiles,
  options: LoadOptions,
  choose: typeof choosePacking,
): Promise<CausalLM> {
  const format = options.format ?? 'auto'
  if (!WEIGHT_FORMATS.includes(format)) {
    throw new ArgumentError({ field: 'format', found: JSON.stringify(format), expected: `one of ${WEIGHT_FORMATS.join(', ')}` })
  }
  const cache = options.cache ?? 'auto'
  if (!CACHE_FORMATS.includes(cache)) {
    throw new ArgumentError({ field: 'cache', found: JSON.stringify(cache), expected: `one of ${CACHE_FORMATS.join(', ')}` })
  }
  const runtime = options.runtime ?? (await loadRuntime(options.threads === undefined ? {} : { threads: options.threads }))
  const found = await locate(source, options)
  const graphPath = 'path' in found ? found.path : 'located' in found ? found.located.path : undefined
  if (graphPath?.endsWith('.onnx')) {
    const refuse = (field: string, found: string, expected: string) => {
      throw new ArgumentError({ file: graphPath, field, found, expected })
    }
    if (cache === 'float16') refuse('cache', cache, 'float32: a graph keeps rows as it was exported to')
    if (options.layers !== undefined) refuse('layers', `${options.layers}`, 'none: a graph has the layers that it was exported with')
    if (options.headTokens !== undefined)
      refuse('headTokens', `${options.headTokens.length} ids`, 'none: a graph has the head that it was exported with')
    if (format !== 'auto') refuse('format', format, 'none: a graph has the formats that it was exported with')
    if (options.adapters?.length) refuse('adapters', `${options.adapters.length}`, 'none: exported graphs have no place for them')
    // what only some models need is loaded with them: a page waits for every kilobyte
    const { openExported } = await import('./exported/open-exported.ts')
    return openExported('located' in found ? { files: found.located.files, path: graphPath } : graphPath, runtime, options)
  }
  const opened = await openFound(found)
  const { onProgress } = options
  let checkpoint: Checkpoint
  let adapters: readonly LoraAdapter[]
  let chosen: ChosenPacking
  let packing: Packing
  try {
    checkpoint = options.layers === undefined ? opened : withFirstLayers(opened, options.layers)
    if (options.headTokens !== undefined) checkpoint = withHeadTokens(checkpoint, options.headTokens)
    adapters = options.adapters?.length ? await (await import('./adapters/lora-adapter.ts')).openAdapters(options.adapters) : []
    chosen = choose(checkpoint, format, adapters, runtime)
    packing = await packingFor(runtime, chosen)
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
  const cacheType = cacheTypeFor(cache, packing, checkpoint)
  const graphOptions: GraphOptions = {
    packing,
    cacheType,
    adapters,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.convertedFolder === undefined ? {} : { convertedFolder: options.convertedFolder }),
    ...(options.convertedLimitBytes === undefined ? {} : { convertedLimitBytes: options.convertedLimitBytes }),
    ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress({ phase: 'convert', ...progress }) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }
  let graph: OpenGraph | undefined
  try {
    graph = await openGraph(checkpoint, runtime, PLAIN_OUTPUTS, graphOptions)
    const open = graph
    const model = (plan: Plan) =>
      new OpenModel({
        checkpoint,
        plan,
        graph: open,
        cacheType,
        adapters,
        openGraph: (outputs) => openGraph(checkpoint, runtime, outputs, withoutSignal(graphOptions)),
      })
    const { readsPositions = false, config } = checkpoint.description
    const plan = describePlan(runtime, graph, graphOptions, options, [
      ...('located' in found ? found.located.files.notes : []),
      ...chosen.notes,
      ...adapterNotes(adapters),
    ])
    const { selfTest, stepTimes } = await findOut(model(plan), {
      threads: plan.threads,
      ...(await whereKept(graph, plan)),
      ...(options.selfTest === false || options.headTokens !== undefined
        ? {}
        : { selfTest: readsPositions ? { positionsEnd: config.maxPositions } : {} }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    const { exact = false, note = selfTest === undefined ? 'the self-test was switched off' : undefined } = selfTest ?? {}
    const notes = note === undefined ? plan.notes : [...plan.notes, `not exact: ${note}`]
    return model({ ...plan, exact, notes, ...(stepTimes === undefined ? {} : { stepTimes }) })
  } catch (error) {
    await graph?.[Symbol.asyncDispose]()
    await checkpoint[Symbol.asyncDispose]()
    throw error
  }
}

/** Where a source leads: a path, a set of files, or a checkpoint that is open already. */
async function locate(
  source: string | Checkpoint | ChosenFiles,
  { signal, exported, hub }: LoadOptions,
): Promise<Located | { readonly checkpoint: Checkpoint }> {
  if (typeof source === 'string') return locateWeights(source, { signal, exported, ...hub })
  return isChosenFiles(source) ? { located: locateAmong(blobFiles(source), exported) } : { checkpoint: source }
}

function openFound(found: Located | { readonly checkpoint: Checkpoint }): Promise<Checkpoint> {
  if ('checkpoint' in found) return Promise.resolve(found.checkpoint)
  return 'path' in found ? openCheckpoint(found.path) : openCheckpointFiles(found.located.files, found.located.path)
}

/** What is found out is kept with the weights. Steps are timed only where that is done once. */
async function whereKept({ kept }: OpenGraph, { runtime }: Plan): Promise<Pick<FindOutOptions, 'kept' | 'machine' | 'stepTimesBudgetMs'>> {
  if (kept === undefined) return {}
  const processor = await describeProcessor()
  return processor === undefined ? {} : { kept, machine: `${runtime}, ${processor}`, stepTimesBudgetMs: STEP_TIMES_BUDGET_MS }
}

function describePlan(
  runtime: Runtime,
  graph: OpenGraph,
  { packing, cacheType }: GraphOptions,
  options: LoadOptions,
  packingNotes: readonly string[],
): Plan {
  const { device } = runtime
  const notes = [...device.notes, graph.storageNote, ...packingNotes, ...graph.notes]
  if ([...graph.formats.values()].some((name) => name.includes('int8-rows'))) notes.push(signedNote(packing))
  if (graph.needsTwoRows) notes.push('a single row runs as two: products of 4-bit blocks differ between one row and several')
  return {
    runtime: `${runtime.name} ${runtime.version}`,
    provider: device.provider,
    // the wasm library has as many for every session, and fewer than were asked for where a page cannot share memory
    threads: runtime.name === 'onnxruntime-web' ? device.threads : (options.threads ?? device.threads),
    formats: { ...Object.fromEntries(graph.formats), cache: cacheType },
    exact: false,
    notes,
  }
}

/** The signal of the load ends with it: a later reopening is not its business. */
function withoutSignal({ signal: _, ...rest }: GraphOptions): GraphOptions {
  return rest
}
