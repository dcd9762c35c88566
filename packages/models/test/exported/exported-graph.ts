/**
 * Decoders as the hub's exporters lay them out, built here operator by operator from a tiny checkpoint: `input_ids`, `attention_mask`,
 * `position_ids`, `past_key_values.N.key` in, `logits` and `present.N.key` out. Nothing of the package under test is used.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  add,
  and,
  assumeDims,
  branch,
  cast,
  concat,
  cosine,
  cumSum,
  divide,
  encodeModel,
  expand,
  externalChunks,
  Graph,
  gather,
  gelu,
  greater,
  groupQueryAttention,
  layerNormalization,
  lessOrEqual,
  matMul,
  matMulNBits,
  multiply,
  negate,
  power,
  range,
  reduceMean,
  reduceSum,
  reshape,
  shapeVector,
  sigmoid,
  sine,
  slice,
  softmax,
  split,
  squareRoot,
  squeeze,
  subtract,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '@foretoken/graph'
import { decodeToFloat32, openWeights } from '@foretoken/weights'

export interface ExportOptions {
  readonly attention: 'plain' | 'group-query'
  /** `q4`: blocks of 32 for MatMulNBits; `q4-decoded`: the same numbers as float32. */
  readonly weights?: 'f32' | 'q4' | 'q4-decoded'
  readonly cacheType?: 'float32' | 'float16'
  /** One graph with a branch for an empty cache, chosen by `use_cache_branch`. */
  readonly isMerged?: boolean
  /** A mask of pairs [batch, 1, steps, context] instead of tokens. */
  readonly mask?: 'tokens' | 'pairs'
  /** Name of an input that says how many of the last rows go through the head. */
  readonly keptLogits?: string
  /** What is done to the graph before it is written. */
  readonly change?: (graph: Graph) => void
}

interface Layer {
  readonly keys: Value
  readonly values: Value
}

export interface TinyWeights {
  readonly config: Readonly<Record<string, number>>
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
}

export async function tinyWeights(folder: string): Promise<TinyWeights> {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Record<string, number>
  await using store = await openWeights(folder)
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const { name, shape } of store.tensors.values()) tensors.set(name, { shape, data: decodeToFloat32(await store.read(name)) })
  return { config, tensors }
}

/** A decoder of Llama's kind (also Qwen 2: biases where the checkpoint has them). */
export function exportLlama({ config, tensors }: TinyWeights, options: ExportOptions): Graph {
  const { attention, weights = 'f32', cacheType = 'float32' } = options
  const heads = config.num_attention_heads ?? 0
  const kvHeads = config.num_key_value_heads ?? 0
  const hidden = config.hidden_size ?? 0
  const dim = hidden / heads
  const layers = config.num_hidden_layers ?? 0
  const epsilon = config.rms_norm_eps ?? 0
  const theta = config.rope_theta ?? 0

  const graph = new Graph({ name: 'exported' })
  const ids = graph.input('input_ids', 'int64', ['batch', 'steps'])
  const mask =
    options.mask === 'pairs'
      ? graph.input('attention_mask', 'bool', ['batch', 1, 'steps', 'past+steps'])
      : graph.input('attention_mask', 'int64', ['batch', 'past+steps'])
  // GroupQueryAttention counts its rows; the exporters leave the input out then
  const positions = attention === 'plain' ? graph.input('position_ids', 'int64', ['batch', 'steps']) : undefined
  const pasts = Array.from({ length: layers }, (_, layer): Layer => {
    const past = (which: string) => graph.input(`past_key_values.${layer}.${which}`, cacheType, ['batch', kvHeads, 'past', dim])
    return { keys: past('key'), values: past('value') }
  })

  const constant = (value: number) => graph.constant('float32', [], [value])
  const stored = (name: string) => {
    const found = tensors.get(name)
    if (found === undefined) throw new Error(`the checkpoint has no ${name}`)
    return found
  }
  const vector = (name: string) => initializer(name, stored(name).shape, () => stored(name).data)
  function initializer(name: string, dims: readonly number[], data: () => Float32Array): Value {
    return graph.initializers.has(name)
      ? graph.initializer(`${name}.${graph.initializers.size}`, 'float32', dims, data())
      : graph.initializer(name, 'float32', dims, data())
  }
  function linear(x: Value, name: string): Value {
    const { shape, data } = stored(`${name}.weight`)
    const [outputs = 0, inputs = 0] = shape
    const product =
      weights === 'q4'
        ? blockProduct(x, name, data, outputs, inputs)
        : matMul(
            x,
            initializer(`${name}.turned`, [inputs, outputs], () =>
              turned(weights === 'f32' ? data : halfBytes(data).decoded, outputs, inputs),
            ),
          )
    return tensors.has(`${name}.bias`) ? add(product, vector(`${name}.bias`)) : product
  }
  function blockProduct(x: Value, name: string, data: Float32Array, outputs: number, inputs: number): Value {
    const { codes, scales } = halfBytes(data)
    const blocks = inputs / 32
    const unique = graph.initializers.has(`${name}.codes`) ? `${name}.${graph.initializers.size}` : name
    return matMulNBits(
      x,
      graph.initializer(`${unique}.codes`, 'uint8', [outputs, blocks, 16], codes),
      graph.initializer(`${unique}.scales`, 'float32', [outputs * blocks], scales),
      { outputs, inputs, bits: 4, blockSize: 32, accuracyLevel: 1 },
    )
  }
  const norm = (x: Value, name: string) =>
    multiply(divide(x, squareRoot(add(reduceMean(power(x, 2), [-1]), constant(epsilon)))), vector(`${name}.weight`))

  const useCache = options.isMerged ? squeeze(graph.input('use_cache_branch', 'bool', [1]), [0]) : undefined
  const kept = options.keptLogits === undefined ? undefined : graph.input(options.keptLogits, 'int64', [])
  const results =
    useCache === undefined
      ? decode(true)
      : branch(
          useCache,
          () => decode(true),
          () => decode(false),
        )
  results.forEach((value, at) => {
    graph.output(at === 0 ? 'logits' : `present.${(at - 1) >> 1}.${at % 2 === 1 ? 'key' : 'value'}`, value)
  })
  options.change?.(graph)
  return graph

  function decode(hasPast: boolean): Value[] {
    const presents: Value[] = []
    let x: Value = gather(vector('model.embed_tokens.weight'), ids) // [batch, steps, hidden]
    const angles = turns()
    for (let layer = 0; layer < layers; layer++) {
      const name = `model.layers.${layer}`
      const normed = norm(x, `${name}.input_layernorm`)
      const [query, key, value] = ['q', 'k', 'v'].map((which) => linear(normed, `${name}.self_attn.${which}_proj`))
      const past = pasts[layer]
      if (query === undefined || key === undefined || value === undefined || past === undefined) throw new Error('three projections')
      const attended =
        attention === 'plain' ? plainAttention(query, key, value, past, angles, hasPast) : groupAttention(query, key, value, past)
      presents.push(...attended.present)
      x = add(x, linear(attended.output, `${name}.self_attn.o_proj`))
      const fed = norm(x, `${name}.post_attention_layernorm`)
      const gate = linear(fed, `${name}.mlp.gate_proj`)
      x = add(x, linear(multiply(multiply(gate, sigmoid(gate)), linear(fed, `${name}.mlp.up_proj`)), `${name}.mlp.down_proj`))
    }
    const all = norm(x, 'model.norm')
    const rows = kept === undefined ? all : slice(all, { axis: 1, start: negate(unsqueeze(kept, [0])) })
    return [linear(rows, tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens'), ...presents]
  }

  /** cos and sin [batch, 1, steps, dim] of the positions. */
  function turns(): { cos: Value; sin: Value } | undefined {
    if (positions === undefined) return undefined
    const inverse = Float32Array.from({ length: dim / 2 }, (_, pair) => theta ** ((-2 * pair) / dim))
    const angle = multiply(unsqueeze(cast(positions, 'float32'), [2]), graph.constant('float32', [1, 1, dim / 2], [...inverse]))
    const both = unsqueeze(concat([angle, angle], { axis: -1 }), [1])
    return { cos: cosine(both), sin: sine(both) }
  }

  function plainAttention(query: Value, key: Value, value: Value, past: Layer, angles: ReturnType<typeof turns>, hasPast: boolean) {
    const perHead = (rows: Value, count: number) => transpose(reshape(rows, ['batch', 'steps', count, dim]), [0, 2, 1, 3])
    const turn = (rows: Value) => {
      const [low, high] = split(rows, [dim / 2, dim / 2], { axis: -1 })
      if (angles === undefined) throw new Error('plain attention turns by positions')
      return add(multiply(rows, angles.cos), multiply(concat([negate(high), low], { axis: -1 }), angles.sin))
    }
    const cached = (rows: Value) => (cacheType === 'float16' ? cast(rows, 'float16') : rows)
    const computed = (rows: Value) => (cacheType === 'float16' ? cast(rows, 'float32') : rows)
    const append = (old: Value, rows: Value) => (hasPast ? concat([old, cached(rows)], { axis: 2 }) : cached(rows))
    const presentKeys = append(past.keys, turn(perHead(key, kvHeads)))
    const presentValues = append(past.values, perHead(value, kvHeads))
    const total = hasPast ? 'past+steps' : 'steps'
    const repeated = (rows: Value) => {
      const wide = expand(unsqueeze(computed(rows), [2]), ['batch', kvHeads, heads / kvHeads, total, dim])
      return reshape(wide, ['batch', heads, total, dim])
    }
    const keys = transpose(repeated(presentKeys), [0, 1, 3, 2])
    const scores = multiply(matMul(turn(perHead(query, heads)), keys), constant(1 / Math.sqrt(dim)))
    const masked = where(seen(hasPast, past), scores, constant(-3.4e38))
    const output = matMul(softmax(masked, { axis: -1 }), repeated(presentValues))
    return { output: reshape(transpose(output, [0, 2, 1, 3]), ['batch', 'steps', hidden]), present: [presentKeys, presentValues] }
  }

  /** [1 or batch, 1, steps, context] */
  function seen(hasPast: boolean, past: Layer): Value {
    if (options.mask === 'pairs') return mask
    const size = (name: string, source: Value) => squeeze(shapeVector(graph, [name], [source]), [0])
    const steps = size('steps', ids)
    const before = hasPast ? size('past', past.keys) : graph.constant('int64', [], [0])
    const end = add(before, steps)
    const rows = unsqueeze(assumeDims(range(before, end), ['steps']), [1])
    const columns = unsqueeze(assumeDims(range(graph.constant('int64', [], [0]), end), [hasPast ? 'past+steps' : 'steps']), [0])
    const causal = unsqueeze(lessOrEqual(columns, rows), [0, 1])
    return hasPast ? and(causal, unsqueeze(greater(mask, graph.constant('int64', [], [0])), [1, 2])) : causal
  }

  function groupAttention(query: Value, key: Value, value: Value, past: Layer) {
    const table = (turn: (angle: number) => number) => () =>
      Float32Array.from({ length: (config.max_position_embeddings ?? 0) * (dim / 2) }, (_, at) => {
        const pair = at % (dim / 2)
        return turn(((at - pair) / (dim / 2)) * theta ** ((-2 * pair) / dim))
      })
    const counted = reduceSum(mask, [1], { keepDims: false })
    const tables = [config.max_position_embeddings ?? 0, dim / 2]
    const [output, keys, values] = groupQueryAttention(
      {
        query,
        key,
        value,
        pastKey: past.keys,
        pastValue: past.values,
        lastPositions: cast(subtract(counted, graph.constant('int64', [], [1])), 'int32'),
        totalLength: cast(squeeze(shapeVector(graph, ['past+steps'], [mask]), [0]), 'int32'),
        cosines: initializer('cos_cache', tables, table(Math.cos)),
        sines: initializer('sin_cache', tables, table(Math.sin)),
      },
      { heads, kvHeads },
    )
    return { output, present: [keys, values] }
  }
}

/** GPT-2: learned positions, one fused projection stored as [inputs, outputs], biases. */
export function exportGpt2({ config, tensors }: TinyWeights): Graph {
  const { n_embd: hidden = 0, n_head: heads = 0, n_layer: layers = 0, layer_norm_epsilon: epsilon = 0 } = config
  const dim = hidden / heads
  const graph = new Graph({ name: 'exported' })
  const ids = graph.input('input_ids', 'int64', ['batch', 'steps'])
  const mask = graph.input('attention_mask', 'int64', ['batch', 'past+steps'])
  const positions = graph.input('position_ids', 'int64', ['batch', 'steps'])
  const named = new Map([...tensors].map(([name, tensor]) => [name.replace(/^transformer\./, ''), tensor]))
  const weight = (name: string) => {
    const found = named.get(name)
    if (found === undefined) throw new Error(`the checkpoint has no ${name}`)
    return graph.initializer(name, 'float32', found.shape, found.data)
  }
  const linear = (x: Value, name: string) => add(matMul(x, weight(`${name}.weight`)), weight(`${name}.bias`))
  const norm = (x: Value, name: string) => layerNormalization(x, weight(`${name}.weight`), weight(`${name}.bias`), { epsilon })
  const table = weight('wte.weight')
  let x: Value = add(gather(table, ids), gather(weight('wpe.weight'), positions))
  for (let layer = 0; layer < layers; layer++) {
    const past = (which: string) => graph.input(`past_key_values.${layer}.${which}`, 'float32', ['batch', heads, 'past', dim])
    const perHead = (rows: Value) => transpose(reshape(rows, ['batch', 'steps', heads, dim]), [0, 2, 1, 3])
    const [query, key, value] = split(linear(norm(x, `h.${layer}.ln_1`), `h.${layer}.attn.c_attn`), [hidden, hidden, hidden], { axis: -1 })
    const keys = concat([past('key'), perHead(key)], { axis: 2 })
    const values = concat([past('value'), perHead(value)], { axis: 2 })
    graph.output(`present.${layer}.key`, keys)
    graph.output(`present.${layer}.value`, values)
    const scores = divide(matMul(perHead(query), transpose(keys, [0, 1, 3, 2])), graph.constant('float32', [], [Math.sqrt(dim)]))
    // a column is seen by the rows at its position or after it
    const columns = subtract(cumulative(mask), graph.constant('int64', [], [1]))
    const visible = lessOrEqual(unsqueeze(columns, [1, 2]), unsqueeze(unsqueeze(positions, [1]), [3]))
    const probabilities = softmax(where(visible, scores, graph.constant('float32', [], [-3.4e38])), { axis: -1 })
    const joined = reshape(transpose(matMul(probabilities, values), [0, 2, 1, 3]), ['batch', 'steps', hidden])
    x = add(x, linear(joined, `h.${layer}.attn.c_proj`))
    const raised = gelu(linear(norm(x, `h.${layer}.ln_2`), `h.${layer}.mlp.c_fc`), { approximation: 'tanh' })
    x = add(x, linear(raised, `h.${layer}.mlp.c_proj`))
  }
  graph.output('logits', matMul(norm(x, 'ln_f'), transpose(table, [1, 0])))
  return graph

  function cumulative(tokens: Value): Value {
    return cumSum(tokens, 1)
  }
}

/** Symmetric blocks of 32 in 4 bits, two to a byte, the lower half first; a code of 8 is zero. */
function halfBytes(data: Float32Array): { codes: Uint8Array; scales: Float32Array; decoded: Float32Array } {
  const codes = new Uint8Array(data.length / 2)
  const scales = new Float32Array(data.length / 32)
  const decoded = new Float32Array(data.length)
  for (let block = 0; block < scales.length; block++) {
    const values = data.subarray(block * 32, block * 32 + 32)
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    scales[block] = largest / 7
    const scale = scales[block] ?? 0
    values.forEach((value, at) => {
      const code = scale === 0 ? 8 : Math.round(value / scale) + 8
      const place = block * 16 + (at >> 1)
      codes[place] = (codes[place] ?? 0) | (at % 2 === 0 ? code : code << 4)
      decoded[block * 32 + at] = (code - 8) * scale
    })
  }
  return { codes, scales, decoded }
}

function turned(data: Float32Array, outputs: number, inputs: number): Float32Array {
  const out = new Float32Array(data.length)
  for (let row = 0; row < outputs; row++)
    for (let column = 0; column < inputs; column++) out[column * outputs + row] = data[row * inputs + column] ?? 0
  return out
}

/** Writes a graph, with its weights beside it when a location is given. */
export async function writeGraph(graph: Graph, path: string, location?: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  if (location === undefined) return writeFile(path, encodeModel(graph).bytes())
  const model = encodeModel(graph, { external: { location, minimumBytes: 1024 } })
  const pieces: Uint8Array[] = []
  let end = 0
  for await (const { offset, bytes } of externalChunks(model.external)) {
    pieces.push(new Uint8Array(offset - end), bytes.slice())
    end = offset + bytes.byteLength
  }
  await writeFile(path, model.bytes())
  await writeFile(join(dirname(path), location), Buffer.concat(pieces))
}
