/** The outputs of the graph as the result of a step: named, cut to the rows that were asked for, and in one piece per notion. */
import type { NewRows, RecurrentRows } from '@foretoken/kv-cache'
import { type Tensor, tensor } from '@foretoken/tensor'
import type { DecoderDescription, LayerDescription, RecurrentLayer } from '../architectures/architecture.ts'
import type { DecodeStep, StepResult } from '../causal-lm.ts'
import { type NewRowsPlace, newRowsPlaces } from '../decoder/new-rows.ts'
import type { OutputSet } from '../decoder/outputs.ts'
import { strandsFor } from '../decoder/strands.ts'
import { StepError } from '../errors.ts'
import { pastFed, type RowRange } from './attention-feeds.ts'
import type { CheckedStep } from './check-step.ts'
import { isChain } from './recurrent-feeds.ts'

/** The outputs to fetch for a step. */
export function fetchesFor(step: DecodeStep, steps: number, layers: readonly LayerDescription[]): readonly string[] {
  const { want } = step
  const fetches = newRowsPlaces(layers).flatMap(({ keys, values }) => [keys, values].flatMap((place) => place?.output ?? []))
  for (const [layer, { recurrent }] of layers.entries()) {
    if (recurrent !== undefined) {
      fetches.push(`new_inputs_${layer}`)
      if (step.cache.recurrentView(layer).tail > 0) fetches.push(`state_before_${layer}`)
      if (isChain(step, steps)) fetches.push(`state_after_${layer}`)
      continue
    }
    if (want.scores !== undefined) fetches.push(`past_scores_${layer}`, `new_scores_${layer}`)
  }
  if (want.logits !== undefined) fetches.push('logits')
  if (want.topK !== undefined) fetches.push('top_values', 'top_tokens')
  for (const index of want.hidden ?? []) fetches.push(`hidden_${index}`)
  return [...new Set(fetches)]
}

export interface ResultParts {
  readonly description: DecoderDescription
  readonly step: DecodeStep
  /** As the caller asked; the run itself may have had one more row. */
  readonly checked: CheckedStep
  readonly outputs: ReadonlyMap<string, Tensor>
  readonly graphOutputs: OutputSet
  readonly ranges: readonly (RowRange | undefined)[]
  /** Rows that ran: `checked.steps`, or more when the step was padded. */
  readonly ranSteps: number
  readonly elapsedMs: number
  /** The first of the step's rows among those that ran, and among those that went through the head; 0 when it ran alone. */
  readonly firstRow?: number
  readonly firstWanted?: number
}

export function stepResult(parts: ResultParts): StepResult {
  const { description, step, checked, outputs, elapsedMs, firstRow = 0, firstWanted = 0 } = parts
  const { config, layers } = description
  const { want } = step
  const rows = newRows(parts)
  const wanted = checked.wantedRows.length
  const width = config.headTokens?.length ?? config.vocab
  return {
    rows,
    elapsedMs,
    ...(want.logits === undefined
      ? {}
      : { logits: tensor('float32', [wanted, width], rowsOf(outputs, 'logits', firstWanted, wanted, width)) }),
    ...(want.topK === undefined
      ? {}
      : { topK: topRows(outputs, want.topK, parts.graphOutputs.topK, firstWanted, wanted, config.headTokens) }),
    ...(want.hidden === undefined
      ? {}
      : {
          hidden: want.hidden.map((index) =>
            tensor('float32', [checked.steps, config.hidden], rowsOf(outputs, `hidden_${index}`, firstRow, checked.steps, config.hidden)),
          ),
        }),
    ...(want.scores === undefined ? {} : { scores: layers.map((shape, layer) => attentionScores(parts, shape, layer)) }),
  }
}

function newRows({ description, step, checked, outputs, ranSteps, firstRow = 0 }: ResultParts): NewRows {
  const { steps, positions } = checked
  const places = newRowsPlaces(description.layers)
  const placed = (place: NewRowsPlace | undefined, width: number): Float32Array =>
    place === undefined ? NOTHING : rowsOf(outputs, place.output, place.index * ranSteps + firstRow, steps, width)
  return {
    steps,
    positions,
    past: step.cache.length,
    layers: description.layers.map(({ kvHeads, keyDim, valueDim, recurrent }, layer) =>
      recurrent === undefined
        ? {
            keys: placed(places[layer]?.keys, kvHeads * keyDim),
            values: placed(places[layer]?.values, kvHeads * valueDim),
          }
        : { ...NO_ROWS, recurrent: recurrentRows(outputs, layer, steps, recurrent) },
    ),
  }
}

const NOTHING = new Float32Array(0)
const NO_ROWS = { keys: NOTHING, values: NOTHING }

function recurrentRows(outputs: ReadonlyMap<string, Tensor>, layer: number, steps: number, shape: RecurrentLayer): RecurrentRows {
  // where there are several lanes, only a row that was doubled asks for the state after it: the first lane's
  const size = shape.stateDims.reduce((product, dim) => product * dim, 1)
  const state = (name: string) => (outputs.has(name) ? floats(outputs, name).subarray(0, size) : undefined)
  const stateBefore = state(`state_before_${layer}`)
  const stateAfter = state(`state_after_${layer}`)
  return {
    inputs: floats(outputs, `new_inputs_${layer}`).subarray(0, steps * shape.inputWidth),
    ...(stateBefore === undefined ? {} : { stateBefore }),
    ...(stateAfter === undefined ? {} : { stateAfter }),
  }
}

/** The graph chose `graphK` of each row, which is at least `k`. */
function topRows(outputs: ReadonlyMap<string, Tensor>, k: number, graphK: number, first: number, rows: number, headTokens?: Int32Array) {
  const allValues = floats(outputs, 'top_values')
  const allTokens = outputs.get('top_tokens')?.data
  if (!(allTokens instanceof BigInt64Array)) throw missing('top_tokens')
  const values = new Float32Array(rows * k)
  const tokens = new Int32Array(rows * k)
  for (let row = 0; row < rows; row++) {
    for (let rank = 0; rank < k; rank++) {
      values[row * k + rank] = allValues[(first + row) * graphK + rank] ?? 0
      const logit = Number(allTokens[(first + row) * graphK + rank] ?? 0n)
      tokens[row * k + rank] = headTokens?.[logit] ?? logit
    }
  }
  return { values, tokens, k }
}

/** [heads, steps, past + steps]: zeros for cached rows outside of the layer's window. */
function attentionScores({ checked, outputs, ranges, ranSteps }: ResultParts, shape: LayerDescription, layer: number): Tensor<'float32'> {
  const range = ranges[layer]
  const strands = strandsFor(shape)
  if (range === undefined) throw missing(`past_scores_${layer}`)
  const past = floats(outputs, `past_scores_${layer}`)
  const fresh = floats(outputs, `new_scores_${layer}`)
  const { start, cut, length } = range
  const ofStrand = pastFed({ strands }, range) / strands
  const newFed = length - cut + ranSteps
  const columns = length + checked.steps
  const scores = new Float32Array(shape.heads * checked.steps * columns)
  for (let head = 0; head < shape.heads; head++) {
    for (let row = 0; row < checked.steps; row++) {
      const to = (head * checked.steps + row) * columns
      const from = head * ranSteps + row
      for (let cached = start; cached < cut; cached++) {
        const strand = (cached - start) % strands
        const at = (cached - start - strand) / strands
        scores[to + cached] = past[(strand * shape.heads * ranSteps + from) * ofStrand + at] ?? 0
      }
      scores.set(fresh.subarray(from * newFed, from * newFed + (length - cut) + checked.steps), to + cut)
    }
  }
  return tensor('float32', [shape.heads, checked.steps, columns], scores)
}

function floats(outputs: ReadonlyMap<string, Tensor>, name: string): Float32Array {
  const data = outputs.get(name)?.data
  if (data instanceof Float32Array) return data
  throw missing(name)
}

function rowsOf(outputs: ReadonlyMap<string, Tensor>, name: string, first: number, rows: number, width: number): Float32Array {
  return floats(outputs, name).subarray(first * width, (first + rows) * width)
}

function missing(name: string): StepError {
  return new StepError({ field: name, found: 'no such output of the session', expected: 'the output that was fetched' })
}
