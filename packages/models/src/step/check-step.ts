/** A step is checked whole before anything runs: the runtime below answers some wrong inputs by ending the process. */
import type { LayerShape, StorageType } from '@foretoken/kv-cache'
import type { DecodeStep, ModelConfig } from '../causal-lm.ts'
import { StepError } from '../errors.ts'

export interface CheckedStep {
  readonly steps: number
  readonly positions: Int32Array
  /** Rows whose logits are wanted. */
  readonly wantedRows: Int32Array
}

export interface StepLimits {
  readonly config: ModelConfig
  readonly layers: readonly LayerShape[]
  /** How caches hold their rows; float32 when absent. */
  readonly cacheType?: StorageType
  /** Positions are rows of a learned table, which ends. */
  readonly readsPositions?: boolean
}

export function checkStep(step: DecodeStep, { config, layers, cacheType = 'float32', readsPositions = false }: StepLimits): CheckedStep {
  const steps = rowCount(step.tokens, config)
  checkCache(step, layers, cacheType)
  const positions = step.positions ?? following(step.cache.nextPosition, steps)
  if (positions.length !== steps) refuse('positions', `${positions.length} positions`, `${steps}, one for each row`)
  const end = readsPositions ? config.maxPositions : Number.POSITIVE_INFINITY
  for (const position of positions) {
    if (position < 0) refuse('positions', `${position}`, 'positions from 0')
    if (position >= end) refuse('positions', `${position}`, `positions below ${end}, where the learned position embeddings end`)
  }
  for (const index of step.want.hidden ?? []) {
    if (index !== 'final' && !(Number.isInteger(index) && index >= 0 && index <= config.layers)) {
      refuse('want.hidden', `${index}`, `'final' or a whole number from 0 to ${config.layers}`)
    }
  }
  if (layers.some(({ recurrent }) => recurrent !== undefined)) checkRecurrentStep(step)
  const k = step.want.topK
  const logits = config.headTokens?.length ?? config.vocab
  if (k !== undefined && !(Number.isInteger(k) && k >= 1 && k <= logits)) {
    refuse('want.topK', `${k}`, `a whole number from 1 to ${logits}`)
  }
  return { steps, positions, wantedRows: wantedRows(step, steps) }
}

/** A state is carried from one row to the next: it can be neither looked at in two directions nor attended to. */
function checkRecurrentStep({ visibility, want }: DecodeStep): void {
  if (visibility?.kind === 'block' || visibility?.kind === 'dense') {
    const expected = 'causal or tree: layers of this model are recurrent (capabilities.blockVisibility is false)'
    refuse('visibility', visibility.kind, expected)
  }
  if (want.scores !== undefined) {
    refuse('want.scores', want.scores, 'none: layers of this model do not attend (capabilities.attentionScores is false)')
  }
}

function rowCount(tokens: DecodeStep['tokens'], config: ModelConfig): number {
  if (tokens instanceof Float32Array) {
    if (tokens.length === 0 || tokens.length % config.hidden !== 0) {
      refuse('tokens', `${tokens.length} numbers`, `embeddings of ${config.hidden} numbers for each row`)
    }
    return tokens.length / config.hidden
  }
  if (tokens.length === 0) refuse('tokens', 'no tokens', 'at least one')
  for (const token of tokens) {
    if (token < 0 || token >= config.vocab) refuse('tokens', `token ${token}`, `ids from 0 to ${config.vocab - 1}`)
  }
  return tokens.length
}

function checkCache({ cache }: DecodeStep, layers: readonly LayerShape[], cacheType: StorageType): void {
  const fits =
    cache.layers.length === layers.length &&
    cache.layers.every((shape, layer) => {
      const own = layers[layer]
      return (
        own !== undefined &&
        shape.kvHeads === own.kvHeads &&
        shape.keyDim === own.keyDim &&
        shape.valueDim === own.valueDim &&
        shape.recurrent?.inputWidth === own.recurrent?.inputWidth &&
        shape.recurrent?.window === own.recurrent?.window &&
        shape.recurrent?.stateSize === own.recurrent?.stateSize
      )
    })
  if (!fits) refuse('cache', `a cache of ${cache.layers.length} layers of another shape`, "a cache made by this model's createCache()")
  if (cache.storage !== cacheType) refuse('cache', `a cache of ${cache.storage}`, `one of ${cacheType}: made by this model's createCache()`)
}

function wantedRows({ want }: DecodeStep, steps: number): Int32Array {
  const { logits } = want
  if (logits === 'all') return Int32Array.from({ length: steps }, (_, row) => row)
  if (logits === undefined || logits === 'last') return Int32Array.of(steps - 1)
  if (logits.length === 0) refuse('want.logits', 'no rows', 'at least one row')
  for (const row of logits) if (row < 0 || row >= steps) refuse('want.logits', `row ${row}`, `rows from 0 to ${steps - 1}`)
  return logits
}

function following(start: number, steps: number): Int32Array {
  return Int32Array.from({ length: steps }, (_, row) => start + row)
}

function refuse(field: string, found: string, expected: string): never {
  throw new StepError({ field, found, expected })
}
