/**
 * What an exported decoder takes and gives, read from the file before anything runs it. The names are those of the hub's exporters:
 * `input_ids`, `attention_mask`, `position_ids`, `past_key_values.N.key`, `logits`, `present.N.key`. Every input has to have a known
 * role: one that is not understood would have to be guessed.
 */
import { type AttributeProto, type GraphProto, type ModelProto, summarizeModel, tensorsOf, type ValueSummary } from '@foretoken/graph'
import { UnsupportedArchitectureError } from '../errors.ts'

export type IntegerType = 'int64' | 'int32'
export type FloatType = 'float32' | 'float16'

export interface ExportedInterface {
  readonly tokensType: IntegerType
  /** Absent where the graph makes its own mask. */
  readonly mask?: ExportedMask
  /** Absent where the graph takes no `position_ids`. */
  readonly positionsType?: IntegerType
  /** Whether rows get the positions that follow the number of cached rows, whatever `position_ids` says. */
  readonly countsPositions: boolean
  /** Rows of the rotary tables in the file: positions end there. */
  readonly positionRows?: number
  /** A merged decoder: one branch for an empty cache and one for a filled one, chosen by `use_cache_branch`. */
  readonly hasCacheBranch: boolean
  /** Whether something else is chosen while it runs (`If`). */
  readonly branches: boolean
  /** The input that says how many of the last rows go through the head. */
  readonly keptLogits?: { readonly name: string; readonly dims: readonly number[] }
  readonly layers: readonly ExportedLayer[]
  readonly cacheLayout: CacheLayout
  readonly cacheType: FloatType
  readonly logitsType: FloatType
  readonly vocab?: number
  /** What attention operators of the graph state about themselves. */
  readonly statedAttention: readonly StatedAttention[]
  /** Bytes of weights inside of the file. */
  readonly inlineBytes: number
  /** Names of the files beside it that hold the others. */
  readonly externalLocations: readonly string[]
}

/** Tokens that exist [batch, context], or who sees whom [batch, 1, steps, context]: true, or 0 to add to the score. */
export type ExportedMask =
  | { readonly kind: 'tokens'; readonly type: IntegerType }
  | { readonly kind: 'pairs'; readonly type: 'float32' | 'bool' }

/** [batch, heads, rows, dim]; or, of BLOOM in older exports, keys [batch x heads, dim, rows] and values [batch x heads, rows, dim]. */
export type CacheLayout = 'separate' | 'fused-key-columns'

/** Undefined where the file leaves the number open. */
export interface ExportedLayer {
  readonly kvHeads: number | undefined
  readonly keyDim: number | undefined
  readonly valueDim: number | undefined
  /**
   * The layer's cache is a buffer that the operator writes the new rows into and lets slide once it is full (`sliding_window_cache`):
   * it is given at least so many rows, and room for the new ones, so that nothing slides.
   */
  readonly leastBuffer?: number
}

/** Numbers of a GroupQueryAttention: heads of queries, heads of keys and values, and how many rows a row sees, undefined for all. */
export interface StatedAttention {
  readonly heads: number
  readonly kvHeads: number
  readonly window: number | undefined
}

const PAST = /^past_key_values\.(\d+)\.(key|value)$/
const PRESENT = /^present\.(\d+)\.(key|value)$/
const KEPT_LOGITS = ['num_logits_to_keep', 'logits_to_keep']

/** Inputs of other kinds of export, and what they say about the file. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/^encoder_|\.encoder\.|^decoder_input_ids$/, 'a part of an encoder-decoder'],
  [/^inputs_embeds$/, 'a decoder that takes embeddings from another graph'],
  [/^pixel_values|^input_features|^image_/, 'a model of several modalities'],
  [/^past_(conv|ssm|recurrent|state)|^cache_params/, 'a model with recurrent state'],
]

/** @throws {UnsupportedArchitectureError} for inputs and outputs that are missing, unknown, or of another type or rank */
export function readExportedInterface(model: ModelProto, file: string): ExportedInterface {
  const summary = summarizeModel(model)
  const inputs = new Map(summary.inputs.map((input) => [input.name, input]))
  const outputs = new Map(summary.outputs.map((output) => [output.name, output]))
  const refuse = (field: string, found: string, expected: string): never => {
    throw new UnsupportedArchitectureError({ file, field, found, expected })
  }

  for (const [kind, what] of OTHER_KINDS) {
    const input = [...inputs.keys()].find((name) => kind.test(name))
    if (input !== undefined) refuse(input, what, 'a decoder with input_ids, attention_mask, past_key_values.N.key and .value')
  }
  const layers = [...inputs.keys()].filter((name) => PAST.test(name)).length / 2
  if (layers === 0) refuse('inputs', 'no past_key_values.N.key', 'a decoder exported with its cache')

  const taken = new Set<string>()
  function input<T extends string>(name: string, types: readonly T[], ...ranks: readonly number[]): { type: T; value: ValueSummary } {
    const value = inputs.get(name)
    if (value === undefined) return refuse(name, 'no such input', `a tensor of ${types.join(' or ')}`)
    taken.add(name)
    return { type: checked(value, types, ranks), value }
  }
  function checked<T extends string>({ name, type, dims }: ValueSummary, types: readonly T[], ranks: readonly number[]): T {
    const found = types.find((each) => each === type)
    if (found === undefined) return refuse(name, type ?? 'another kind of value', types.join(' or '))
    if (dims !== undefined && !ranks.includes(dims.length)) refuse(name, `[${dims.join(', ')}]`, `${ranks.join(' or ')} dimensions`)
    return found
  }
  /** Both dimensions in front may be fixed only to what a step feeds. */
  function checkOpen({ name, dims }: ValueSummary): void {
    const [batch, steps] = dims ?? []
    if (typeof batch === 'number' && batch !== 1) refuse(name, `a batch of ${batch}`, 'a batch of 1 or of any size')
    if (typeof steps === 'number') refuse(name, `${steps} rows in every step`, 'any number of rows')
  }

  const tokens = input('input_ids', ['int64', 'int32'], 2)
  checkOpen(tokens.value)
  const mask = inputs.has('attention_mask') ? exportedMask() : undefined
  const positions = inputs.has('position_ids') ? input('position_ids', ['int64', 'int32'], 2) : undefined
  const kept = KEPT_LOGITS.find((name) => inputs.has(name))
  const keptDims = kept === undefined ? [] : (input(kept, ['int64'], 0, 1).value.dims ?? [])
  const hasCacheBranch = inputs.has('use_cache_branch')
  if (hasCacheBranch) input('use_cache_branch', ['bool'], 1)

  const { type: cacheType, value: firstKeys } = input('past_key_values.0.key', ['float32', 'float16'], 3, 4)
  const cacheLayout = layoutOf(firstKeys)
  const cacheRank = cacheLayout === 'separate' ? 4 : 3
  const attention = attentionFacts(model)
  const found = Array.from({ length: layers }, (_, layer): ExportedLayer => {
    const sizes = (['key', 'value'] as const).map((which) => {
      const { value } = input(`past_key_values.${layer}.${which}`, [cacheType], cacheRank)
      const present = outputs.get(`present.${layer}.${which}`)
      if (present === undefined) return refuse(`present.${layer}.${which}`, 'no such output', `one for past_key_values.${layer}.${which}`)
      checked(present, [cacheType], [cacheRank])
      if (cacheLayout !== 'separate') {
        return { kvHeads: undefined, dim: asNumber(value.dims?.[which === 'key' ? 1 : 2]) }
      }
      const [batch, kvHeads, , dim] = value.dims ?? []
      if (typeof batch === 'number' && batch !== 1) refuse(value.name, `a batch of ${batch}`, 'a batch of 1 or of any size')
      return { kvHeads: asNumber(kvHeads) ?? asNumber(present.dims?.[1]), dim: asNumber(dim) ?? asNumber(present.dims?.[3]) }
    })
    const [key, value] = sizes
    if (key?.kvHeads !== value?.kvHeads)
      refuse(`past_key_values.${layer}`, `${key?.kvHeads} heads of keys and ${value?.kvHeads} of values`, 'equal')
    const leastBuffer = attention.buffers.get(`past_key_values.${layer}.key`)
    return { kvHeads: key?.kvHeads, keyDim: key?.dim, valueDim: value?.dim, ...(leastBuffer === undefined ? {} : { leastBuffer }) }
  })

  const unknown = [...inputs.keys()].filter((name) => !taken.has(name))
  if (unknown.length > 0)
    refuse(
      'inputs',
      unknown.join(', '),
      `input_ids, attention_mask, position_ids, past_key_values, use_cache_branch and ${KEPT_LOGITS.join(' or ')}`,
    )
  const extra = [...outputs.keys()].find((name) => PRESENT.test(name) && Number(PRESENT.exec(name)?.[1]) >= layers)
  if (extra !== undefined) refuse(extra, 'an output without its input', `${layers} layers, as in past_key_values`)
  const logits = outputs.get('logits')
  if (logits === undefined) return refuse('logits', 'no such output', '[batch, steps, vocab]')
  const logitsType = checked(logits, ['float32', 'float16'], [3])
  const vocab = asNumber(logits.dims?.[2])

  return {
    tokensType: tokens.type,
    ...(mask === undefined ? {} : { mask }),
    ...(positions === undefined ? {} : { positionsType: positions.type }),
    countsPositions: positions === undefined || attention.countsPositions,
    ...(attention.positionRows === undefined ? {} : { positionRows: attention.positionRows }),
    hasCacheBranch,
    branches: attention.ifs > (hasCacheBranch ? 1 : 0),
    ...(kept === undefined ? {} : { keptLogits: { name: kept, dims: keptDims.length === 0 ? [] : [1] } }),
    layers: found,
    cacheLayout,
    cacheType,
    logitsType,
    ...(vocab === undefined ? {} : { vocab }),
    statedAttention: attention.stated,
    ...weightPlaces(model),
  }

  /** The width of a head is a number, the rows are open: that says which is which. */
  function layoutOf({ name, dims = [] }: ValueSummary): CacheLayout {
    if (dims.length !== 3) return 'separate'
    const [, width, rows] = dims
    if (typeof width === 'number' && typeof rows !== 'number') return 'fused-key-columns'
    return refuse(name, `[${dims.join(', ')}]`, '[batch x heads, a number for the width of heads, rows], or four dimensions')
  }

  function exportedMask(): ExportedMask {
    const { dims } = inputs.get('attention_mask') ?? {}
    if (dims?.length !== 4) return { kind: 'tokens', type: input('attention_mask', ['int64', 'int32'], 2).type }
    const [, heads] = dims
    if (typeof heads === 'number' && heads !== 1) refuse('attention_mask', `[${dims.join(', ')}]`, '1 for all heads in the second place')
    return { kind: 'pairs', type: input('attention_mask', ['float32', 'bool'], 4).type }
  }
}

function asNumber(dim: number | string | undefined): number | undefined {
  return typeof dim === 'number' ? dim : undefined
}

function weightPlaces(model: ModelProto): { readonly inlineBytes: number; readonly externalLocations: readonly string[] } {
  let inlineBytes = 0
  const locations = new Set<string>()
  for (const { rawData, externalData } of tensorsOf(model)) {
    inlineBytes += rawData?.byteLength ?? 0
    for (const { key, value = '' } of externalData) if (key === 'location') locations.add(value)
  }
  return { inlineBytes, externalLocations: [...locations] }
}

/** Places among the inputs of ONNX Runtime's operators. */
const OPERATOR_INPUTS = {
  GroupQueryAttention: { pastKeys: 3, cosines: 7, positions: 9 },
  RotaryEmbedding: { cosines: 2, positions: 1 },
} as const

interface AttentionFacts {
  readonly countsPositions: boolean
  readonly positionRows: number | undefined
  readonly ifs: number
  readonly stated: readonly StatedAttention[]
  /** Rows that a sliding buffer has at least, by the name of its input. */
  readonly buffers: ReadonlyMap<string, number>
}

/** How the operators of ONNX Runtime in the graph turn heads: by which positions, and by tables of how many rows. */
function attentionFacts(model: ModelProto): AttentionFacts {
  let countsPositions = false
  let positionRows: number | undefined
  let ifs = 0
  const stated: StatedAttention[] = []
  const buffers = new Map<string, number>()

  function visit(graph: GraphProto, outer: ReadonlyMap<string, number>): void {
    const rows = new Map(outer)
    for (const { name = '', dims } of graph.initializer) rows.set(name, Number(dims[0] ?? 0))
    for (const { opType, domain, input, attribute } of graph.node) {
      for (const { g, graphs } of attribute) for (const inner of g === undefined ? graphs : [g, ...graphs]) visit(inner, rows)
      if (opType === 'If') ifs++
      if (domain !== 'com.microsoft' || (opType !== 'GroupQueryAttention' && opType !== 'RotaryEmbedding')) continue
      const places = OPERATOR_INPUTS[opType]
      const table = rows.get(input[places.cosines] ?? '')
      if (table !== undefined) positionRows = Math.min(table, positionRows ?? table)
      if (opType !== 'GroupQueryAttention') continue
      const window = integer(attribute, 'local_window_size')
      stated.push({
        heads: integer(attribute, 'num_heads'),
        kvHeads: integer(attribute, 'kv_num_heads'),
        window: window > 0 ? window : undefined,
      })
      if (integer(attribute, 'sliding_window_cache') === 1) buffers.set(input[OPERATOR_INPUTS.GroupQueryAttention.pastKeys] ?? '', window)
      if (integer(attribute, 'do_rotary') === 1 && (input[places.positions] ?? '') === '') countsPositions = true
    }
  }
  if (model.graph !== undefined) visit(model.graph, new Map())
  return { countsPositions, positionRows, ifs, stated, buffers }
}

function integer(attributes: readonly AttributeProto[], name: string): number {
  return Number(attributes.find((attribute) => attribute.name === name)?.i ?? 0)
}
