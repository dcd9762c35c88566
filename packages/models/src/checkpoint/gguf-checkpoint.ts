/** A GGUF file as a checkpoint: its metadata as a configuration, its tensors under Hugging Face's names, its own tokenizer. */
import { type Tokenizer, tokenizerFromGguf } from '@foretoken/tokenizers'

import { checkGgufModel, decodeToFloat32, type MetadataValue, type TensorInfo, type WeightStore } from '@foretoken/weights'
import type { GgufMetadata, GgufTensor } from '../architectures/architecture.ts'
import { ggufArchitectureOf } from '../architectures/registry.ts'
import type { GenerationDefaults, ModelConfig } from '../causal-lm.ts'
import { configReader } from '../config/config-reader.ts'
import { type Checkpoint, type NamedWeights, rotaryRowOrder } from './checkpoint.ts'
import { configOfFirstLayers } from './first-layers.ts'

/** Takes over the store: it is closed with the checkpoint, or here when the file is refused. */
export async function ggufCheckpoint(store: WeightStore, name: string): Promise<Checkpoint> {
  try {
    const metadata = await readMetadata(store, name)
    const architecture = await ggufArchitectureOf(metadata, name)
    const mapping = architecture.gguf
    if (mapping === undefined) throw new RangeError(`${metadata.architecture} has no GGUF mapping`)
    const config = configReader(mapping.config(metadata), name)
    const description = architecture.describe(config)
    const tokenizer = store.metadata.has('tokenizer.ggml.model') ? tokenizerFromGguf(store.metadata) : undefined
    return {
      name,
      architecture,
      description,
      describeFirst: (layers) => architecture.describe(configOfFirstLayers(config, layers)),
      weights: ggufWeights(store, (tensor) => mapping.tensor(tensor, description.config), description.config),
      ...(tokenizer === undefined ? {} : { tokenizer }),
      generationDefaults: generationDefaults(store, tokenizer),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

function ggufWeights(store: WeightStore, locate: (name: string) => GgufTensor | undefined, config: ModelConfig): NamedWeights {
  const orders = { heads: rotaryRowOrder(config.heads, config.headDim), kvHeads: rotaryRowOrder(config.kvHeads, config.headDim) }
  return {
    store,
    find(name) {
      const located = locate(name)
      const info = located === undefined ? undefined : store.tensors.get(located.name)
      if (located === undefined || info === undefined) return undefined
      const { permutedHeads, offset, isTransposed } = located
      const rowOrder = permutedHeads === undefined ? located.rowOrder : orders[permutedHeads]
      return { info, ...(rowOrder && { rowOrder }), ...(offset !== undefined && { offset }), ...(isTransposed && { isTransposed }) }
    },
    isExpectedUnused: (info) => isRopeTensor(info),
  }
}

/** Read into the configuration, not into the graph. */
function isRopeTensor({ name }: TensorInfo): boolean {
  return name === 'rope_freqs.weight' || name.startsWith('rope_factors_')
}

async function readMetadata(store: WeightStore, file: string): Promise<GgufMetadata> {
  const { architecture } = checkGgufModel(store.metadata, file)
  const vectors = new Map<string, readonly number[]>()
  for (const info of store.tensors.values()) {
    if (isRopeTensor(info)) vectors.set(info.name, [...decodeToFloat32(await store.read(info.name))])
  }
  const number = (key: string): number | undefined => asNumber(store.metadata.get(`${architecture}.${key}`))
  return {
    architecture,
    get: (key) => store.metadata.get(key),
    count: number,
    number,
    string(key) {
      const value = store.metadata.get(`${architecture}.${key}`)
      return typeof value === 'string' ? value : undefined
    },
    has: (tensor) => store.tensors.has(tensor),
    vector: (tensor) => vectors.get(tensor),
    shape: (tensor) => store.tensors.get(tensor)?.shape,
  }
}

/** Some files hold one number for each layer where others hold one: equal ones are one. */
function asNumber(value: MetadataValue | undefined): number | undefined {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return value
  if (!Array.isArray(value)) return undefined
  const numbers = value.map(asNumber)
  return numbers.every((each) => each === numbers[0]) ? numbers[0] : undefined
}

function generationDefaults(store: WeightStore, tokenizer: Tokenizer | undefined): GenerationDefaults {
  const id = (key: string) => asNumber(store.metadata.get(`tokenizer.ggml.${key}_token_id`))
  const endOfText = tokenizer?.specialTokens.endOfText ?? [id('eos')].filter((each) => each !== undefined)
  const beginningOfText = id('bos')
  const padding = id('padding')
  return {
    endOfText,
    ...(beginningOfText === undefined ? {} : { beginningOfText }),
    ...(padding === undefined ? {} : { padding }),
  }
}
