/**
 * From a checkpoint to an open session: the graph is built, its weights are converted one layer at a time into a file that the
 * runtime maps (or into memory where there are no files), and the session is opened over both.
 */
import { type EncodedModel, encodeModel, Graph } from '@foretoken/graph'
import type { StorageType } from '@foretoken/kv-cache'
import type { Runtime, Session } from '@foretoken/runtime'
import { storeModel } from '#platform'
import { bindAdapters } from './adapters/adapter-binding.ts'
import type { LoraAdapter } from './adapters/lora-adapter.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { DRAFT_HEADS } from './checkpoint/draft-heads.ts'
import { cacheTypeFor } from './decoder/cache-type.ts'
import { createDecoder } from './decoder/decoder.ts'
import { type OutputSet, PLAIN_OUTPUTS } from './decoder/outputs.ts'
import { choosePacking } from './decoder/packing.ts'
import { createWeightBinder, type WeightBinder } from './decoder/weight-binder.ts'
import type { Packing, WeightFormat } from './decoder/weight-formats.ts'
import { CheckpointError } from './errors.ts'
import { type ConversionProgress, type KeptTexts, WEIGHTS_LOCATION } from './stored-model.ts'

export interface OpenGraph extends AsyncDisposable {
  readonly session: Session
  readonly outputs: OutputSet
  readonly needsTwoRows: boolean
  /** Formats by role, for the plan. */
  readonly formats: ReadonlyMap<string, string>
  readonly weightsBytes: number
  readonly graphBytes: number
  readonly kept?: KeptTexts
  /** Where the converted weights are. */
  readonly storageNote: string
  /** How the architecture is built, which tensors of the checkpoint are not used, and why. */
  readonly notes: readonly string[]
}

export interface GraphOptions {
  readonly packing: Packing
  readonly cacheType: StorageType
  readonly adapters?: readonly LoraAdapter[]
  readonly threads?: number
  /** Folder for converted weights that later starts reuse; a temporary one when absent. */
  readonly convertedFolder?: string
  /** What that folder may take. */
  readonly convertedLimitBytes?: number
  readonly onProgress?: (progress: ConversionProgress) => void
  readonly signal?: AbortSignal
}

/** A decoder's graph with the weights declared and not yet read. */
export interface BuiltGraph {
  readonly graph: Graph
  readonly binder: WeightBinder
  readonly outputs: OutputSet
  readonly notes: readonly string[]
}

/** @throws {CheckpointError} when the checkpoint holds tensors that nothing reads; {ShapeError} when one contradicts the configuration */
function buildGraph(
  checkpoint: Checkpoint,
  { packing, cacheType, adapters = [] }: Pick<GraphOptions, 'packing' | 'cacheType' | 'adapters'>,
  outputs: OutputSet,
): BuiltGraph {
  const graph = new Graph({ name: checkpoint.description.config.modelType })
  const binding = adapters.length === 0 ? undefined : bindAdapters(adapters, graph)
  const binder = createWeightBinder({
    graph,
    weights: checkpoint.weights,
    packing,
    checkpoint: checkpoint.name,
    headTokens: checkpoint.description.config.headTokens,
    ...(binding === undefined ? {} : { adapters: binding }),
  })
  const decoder = createDecoder(checkpoint.description, binder, graph, outputs, cacheType)
  checkpoint.description.build(decoder)
  decoder.newRows.declare()
  binding?.requireAllUsed(checkpoint.name)
  const notes = [...(checkpoint.description.notes ?? []), ...accountForUnused(checkpoint, outputs, binder)]
  return { graph, binder, outputs, notes }
}

/** The graph with its weights beside it, declared and not yet converted. */
export function encodeForStore(
  checkpoint: Checkpoint,
  options: Pick<GraphOptions, 'packing' | 'cacheType' | 'adapters'>,
  outputs: OutputSet,
): { readonly encoded: EncodedModel; readonly binder: WeightBinder; readonly notes: readonly string[] } {
  const { graph, binder, notes } = buildGraph(checkpoint, options, outputs)
  return { encoded: encodeModel(graph, { external: { location: WEIGHTS_LOCATION, minimumBytes: 1024 } }), binder, notes }
}

/** The graph of a checkpoint as an ONNX file that names its weights without holding them: for looking at (Netron), not for running. */
export function encodeGraph(checkpoint: Checkpoint, format: WeightFormat = 'auto'): Uint8Array {
  const packing = { ...choosePacking(checkpoint, format).packing, isSigned: false }
  const { graph } = buildGraph(checkpoint, { packing, cacheType: cacheTypeFor('auto', packing, checkpoint) }, PLAIN_OUTPUTS)
  return encodeModel(graph, { external: { location: WEIGHTS_LOCATION, minimumBytes: 1024 } }).bytes()
}

export async function openGraph(checkpoint: Checkpoint, runtime: Runtime, outputs: OutputSet, options: GraphOptions): Promise<OpenGraph> {
  const { encoded, binder, notes } = encodeForStore(checkpoint, options, outputs)
  const { packing, cacheType, adapters = [], threads = runtime.device.threads } = options
  const stored = await storeModel(encoded, {
    isForWasm: runtime.name === 'onnxruntime-web',
    name: checkpoint.name,
    ...(options.convertedFolder === undefined ? {} : { folder: options.convertedFolder }),
    ...(options.convertedLimitBytes === undefined ? {} : { limitBytes: options.convertedLimitBytes }),
    ...(checkpoint.fingerprint === undefined
      ? {}
      : { fingerprint: fingerprintWith(checkpoint.fingerprint, checkpoint.description.config.headTokens, adapters) }),
    // the other threads know the checkpoint by its path, and its layers
    ...(checkpoint.path === undefined || checkpoint.description.config.headTokens !== undefined
      ? {}
      : {
          conversion: {
            checkpoint: checkpoint.path,
            layers: checkpoint.description.config.layers,
            ...{ packing, cacheType, outputs, adapters, threads },
          },
        }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  try {
    const session = await runtime.open(stored.source, {
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    await stored.release()
    return {
      session,
      outputs,
      needsTwoRows: binder.needsTwoRows,
      formats: binder.formats,
      weightsBytes: stored.weightsBytes,
      graphBytes: stored.graphBytes,
      ...(stored.kept === undefined ? {} : { kept: stored.kept }),
      storageNote: stored.note,
      notes,
      async [Symbol.asyncDispose]() {
        await session[Symbol.asyncDispose]()
        await stored[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await stored[Symbol.asyncDispose]()
    throw error
  }
}

/** Weights with other adapters in them, or with other rows, are other weights. */
function fingerprintWith(checkpoint: string, headTokens: Int32Array | undefined, adapters: readonly LoraAdapter[] = []): string {
  return [checkpoint, ...(headTokens === undefined ? [] : [headTokens.join()]), ...adapters.map(({ fingerprint }) => fingerprint)].join(
    '\n',
  )
}

/** Refuses tensors that nothing explains; says which ones the architecture passes over. */
function accountForUnused(checkpoint: Checkpoint, outputs: OutputSet, binder: WeightBinder): readonly string[] {
  const { weights, name, architecture, description } = checkpoint
  const unused = binder.unused().filter((tensor) => {
    const info = weights.store.tensors.get(tensor)
    return info !== undefined && !weights.isExpectedUnused(info) && !(outputs.embeddingsInput && isEmbedding(tensor))
  })
  const known = [...(description.passedOver ?? []), ...DRAFT_HEADS]
  const notes = known.flatMap(({ names, reason }) => {
    const passed = unused.filter((tensor) => names.test(tensor))
    return passed.length === 0 ? [] : [`${passed.length} tensors are not used (${passed[0]}, …): ${reason}`]
  })
  const left = unused.filter((tensor) => !known.some(({ names }) => names.test(tensor)))
  if (left.length === 0) return notes
  const listed = left.slice(0, 20).join(', ')
  throw new CheckpointError({
    file: name,
    found: `${left.length} tensors that a model of type ${architecture.modelTypes.join(' or ')} has no place for: ${listed}${left.length > 20 ? ', …' : ''}`,
    expected: 'only tensors that the architecture reads',
  })
}

/** A graph that takes embeddings leaves the table aside. */
function isEmbedding(tensor: string): boolean {
  return /embed|wte|embd|project_in/.test(tensor)
}
