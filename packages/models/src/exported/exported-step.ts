/**
 * One step on an exported graph: its feeds from the step, and the step's result from what comes out. The graph returns logits of all
 * rows and the cache with the new rows behind it; here the wanted rows are picked and the new rows cut off.
 */
import type { LayerRows } from '@foretoken/kv-cache'
import { decodeFloat16, encodeFloat16, type Tensor, tensor, topK } from '@foretoken/tensor'
import type { DecodeStep, StepResult } from '../causal-lm.ts'
import { StepError } from '../errors.ts'
import type { CheckedStep } from '../step/check-step.ts'
import { type Sees, visibilityOf } from '../step/visibility.ts'
import type { ExportedDescription, ExportedRows } from './exported-config.ts'
import type { ExportedInterface, FloatType, IntegerType } from './exported-interface.ts'
import { lastRowsTokenMajor, toHeadMajor } from './head-major.ts'

/** Refuses what the graph has no way to do, naming the capability. */
export function checkExportedStep(step: DecodeStep, checked: CheckedStep, graph: ExportedInterface, { lost }: ExportedDescription): void {
  const { want, cache } = step
  const lacks = (field: string, found: string, capability: string): never => {
    throw new StepError({ field, found, expected: `a model with the capability ${capability}, which this exported graph lacks` })
  }
  if (step.tokens instanceof Float32Array) lacks('tokens', 'embeddings', 'embeddingsInput')
  if ((want.hidden?.length ?? 0) > 0) lacks('want.hidden', `${want.hidden?.length} hidden states`, 'hiddenStates')
  if (want.scores !== undefined) lacks('want.scores', JSON.stringify(want.scores), 'attentionScores')
  if (graph.hasCacheBranch && cache.length > 0 && checked.steps > 1) {
    const expected = '1: the branch of this merged decoder for cached rows was traced with one'
    throw new StepError({ field: 'tokens', found: `${checked.steps} rows after ${cache.length} cached ones`, expected })
  }
  if (graph.mask?.kind !== 'pairs' && !isCausal(visibilityOf(step.visibility, checked.steps), checked.steps)) {
    lacks('visibility', `rows that are not causal (${step.visibility?.kind})`, 'treeVisibility')
  }
  for (const name of Object.keys(step.adapters ?? {})) {
    throw new StepError({ field: 'adapters', found: name, expected: 'none: exported graphs have no adapters' })
  }
  for (const [row, position] of checked.positions.entries()) {
    if (graph.countsPositions && position !== cache.length + row) {
      const found = `position ${position} of row ${row} after ${cache.length} cached rows`
      throw new StepError({ field: 'positions', found, expected: `${cache.length + row}: this exported graph counts its cached rows` })
    }
    if (graph.positionRows !== undefined && position >= graph.positionRows) {
      throw new StepError({
        field: 'positions',
        found: `${position}`,
        expected: `positions below ${graph.positionRows}, where the graph's tables end`,
      })
    }
    if (lost !== undefined && position >= lost.from) {
      const expected = `positions below ${lost.from}: config.json says ${lost.what}, which this exported graph does not have`
      throw new StepError({ field: 'positions', found: `${position}`, expected })
    }
  }
}

function isCausal(sees: Sees, steps: number): boolean {
  for (let row = 0; row < steps; row++) {
    for (let other = 0; other < steps; other++) if (sees(row, other) !== other <= row) return false
  }
  return true
}

/** Makes the feeds of every step of one model; holds the arrays that cached rows are turned in. */
export function exportedFeeder(
  graph: ExportedInterface,
  layers: readonly ExportedRows[],
): (step: DecodeStep, checked: CheckedStep) => ReadonlyMap<string, Tensor> {
  const turned = layers.map(() => ({ keys: new Float32Array(0), values: new Float32Array(0) }))

  return (step, { steps, positions }) => {
    const { cache } = step
    const past = cache.length
    const feeds = new Map<string, Tensor>()
    feeds.set('input_ids', integers(graph.tokensType, [1, steps], step.tokens))
    if (graph.mask !== undefined) feeds.set('attention_mask', maskOf(graph.mask, step, steps))
    if (graph.positionsType !== undefined) feeds.set('position_ids', integers(graph.positionsType, [1, steps], positions))
    if (graph.hasCacheBranch) feeds.set('use_cache_branch', tensor('bool', [1], Uint8Array.of(past > 0 ? 1 : 0)))
    if (graph.keptLogits !== undefined) {
      const kept = step.want.logits === 'all' || step.want.logits instanceof Int32Array ? steps : 1
      feeds.set(graph.keptLogits.name, tensor('int64', graph.keptLogits.dims, BigInt64Array.of(BigInt(kept))))
    }
    layers.forEach(({ kvHeads, keyDim, valueDim, leastBuffer }, layer) => {
      // a buffer that slides when it is full has room for the new rows, behind the cached ones
      const room = leastBuffer === undefined ? past : Math.max(past + steps, leastBuffer)
      const rows = cache.view(layer, 0, past)
      const arrays = turned[layer]
      if (arrays === undefined) throw new RangeError(`the model has no layer ${layer}`)
      feeds.set(`past_key_values.${layer}.key`, rowsAhead(rows, 'keys', keyDim))
      feeds.set(`past_key_values.${layer}.value`, rowsAhead(rows, 'values', valueDim))

      function rowsAhead(from: LayerRows, which: 'keys' | 'values', dim: number): Tensor {
        const length = room * kvHeads * dim
        const areColumns = which === 'keys' && graph.cacheLayout === 'fused-key-columns'
        const dims = cacheDims(graph, areColumns, kvHeads, room, dim)
        let ahead = from[which]
        if ((kvHeads > 1 || room > past || areColumns) && arrays !== undefined) {
          if (arrays[which].length < length) arrays[which] = new Float32Array(2 * length)
          ahead = arrays[which].subarray(0, length)
          toHeadMajor(from[which], { count: past, heads: kvHeads, dim, room, areColumns }, ahead)
        }
        return graph.cacheType === 'float16' ? tensor('float16', dims, encodeFloat16(ahead)) : tensor('float32', dims, ahead)
      }
    })
    return feeds
  }
}

/** Of a batch of one, so that a fused dimension is that of the heads. */
function cacheDims({ cacheLayout }: ExportedInterface, areColumns: boolean, kvHeads: number, room: number, dim: number): readonly number[] {
  if (cacheLayout === 'separate') return [1, kvHeads, room, dim]
  return areColumns ? [kvHeads, dim, room] : [kvHeads, room, dim]
}

function integers(type: IntegerType, dims: readonly number[], values: Int32Array | Float32Array): Tensor {
  if (type === 'int32') return tensor('int32', dims, Int32Array.from(values))
  const wide = new BigInt64Array(values.length)
  for (let at = 0; at < values.length; at++) wide[at] = BigInt(values[at] ?? 0)
  return tensor('int64', dims, wide)
}

function maskOf(mask: NonNullable<ExportedInterface['mask']>, step: DecodeStep, steps: number): Tensor {
  const past = step.cache.length
  const context = past + steps
  if (mask.kind === 'tokens') {
    if (mask.type === 'int32') return tensor('int32', [1, context], new Int32Array(context).fill(1))
    return tensor('int64', [1, context], new BigInt64Array(context).fill(1n))
  }
  const sees = visibilityOf(step.visibility, steps)
  const isSeen = new Uint8Array(steps * context)
  for (let row = 0, at = 0; row < steps; row++) {
    for (let column = 0; column < context; column++, at++) isSeen[at] = column < past || sees(row, column - past) ? 1 : 0
  }
  if (mask.type === 'bool') return tensor('bool', [1, 1, steps, context], isSeen)
  // large enough that its exponential is zero, small enough that a score added to it is finite
  return tensor(
    'float32',
    [1, 1, steps, context],
    Float32Array.from(isSeen, (seen) => (seen === 1 ? 0 : -1e9)),
  )
}

export interface ExportedResultParts {
  readonly graph: ExportedInterface
  readonly description: ExportedDescription
  readonly step: DecodeStep
  readonly checked: CheckedStep
  readonly outputs: ReadonlyMap<string, Tensor>
  readonly elapsedMs: number
}

/** The outputs to fetch for a step. */
export function exportedFetches({ want }: DecodeStep, layers: number): readonly string[] {
  const rows = Array.from({ length: layers }, (_, layer) => [`present.${layer}.key`, `present.${layer}.value`])
  return [...rows.flat(), ...(want.logits === undefined && want.topK === undefined ? [] : ['logits'])]
}

/** @throws {StepError} when the graph returned something of another shape than it promised */
export function exportedResult({ graph, description, step, checked, outputs, elapsedMs }: ExportedResultParts): StepResult {
  const { config, layers } = description
  const { steps, positions, wantedRows } = checked
  const { want } = step
  const total = step.cache.length + steps
  const rows = {
    steps,
    positions,
    layers: layers.map(({ kvHeads, keyDim, valueDim, leastBuffer = 0 }, layer) => {
      const room = Math.max(total, leastBuffer)
      const part = (which: 'key' | 'value', dim: number) => {
        const areColumns = which === 'key' && graph.cacheLayout === 'fused-key-columns'
        const all = floats(outputs, `present.${layer}.${which}`, graph.cacheType, cacheDims(graph, areColumns, kvHeads, room, dim))
        return lastRowsTokenMajor(all, { count: total, heads: kvHeads, dim, room, areColumns }, steps)
      }
      return { keys: part('key', keyDim), values: part('value', valueDim) }
    }),
  }
  if (want.logits === undefined && want.topK === undefined) return { rows, elapsedMs }

  const { vocab } = config
  const isCut = graph.keptLogits !== undefined && (want.logits === undefined || want.logits === 'last')
  const kept = isCut ? 1 : steps
  const all = floats(outputs, 'logits', graph.logitsType, [1, kept, vocab])
  const logits = new Float32Array(wantedRows.length * vocab)
  wantedRows.forEach((row, at) => {
    const from = (row - (steps - kept)) * vocab
    logits.set(all.subarray(from, from + vocab), at * vocab)
  })
  return {
    rows,
    elapsedMs,
    ...(want.logits === undefined ? {} : { logits: tensor('float32', [wantedRows.length, vocab], logits) }),
    ...(want.topK === undefined ? {} : { topK: bestOf(logits, vocab, want.topK) }),
  }
}

function bestOf(logits: Float32Array, vocab: number, k: number): NonNullable<StepResult['topK']> {
  const rows = logits.length / vocab
  const values = new Float32Array(rows * k)
  const tokens = new Int32Array(rows * k)
  for (let row = 0; row < rows; row++) {
    const best = topK(logits.subarray(row * vocab, (row + 1) * vocab), k)
    values.set(best.values, row * k)
    tokens.set(best.indices, row * k)
  }
  return { values, tokens, k }
}

function floats(outputs: ReadonlyMap<string, Tensor>, name: string, type: FloatType, dims: readonly number[]): Float32Array {
  const found = outputs.get(name)
  if (found === undefined || found.dims.length !== dims.length || found.dims.some((dim, axis) => dim !== dims[axis])) {
    throw new StepError({ field: name, found: `[${found?.dims.join(', ')}] from the graph`, expected: `[${dims.join(', ')}]` })
  }
  if (type === 'float16' && found.data instanceof Uint16Array) return decodeFloat16(found.data)
  if (found.data instanceof Float32Array) return found.data
  throw new StepError({ field: name, found: `${found.type} from the graph`, expected: type })
}
