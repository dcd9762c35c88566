/** A folder as Hugging Face lays it out: config.json, safetensors, and the tokenizer's files. */
import { loadTokenizerFiles, type TokenizerFolder } from '@foretoken/tokenizers'
import { joinMicroscaled, joinScaledFloat8, type TensorInfo, type WeightStore } from '@foretoken/weights'
import { architectureOf } from '../architectures/registry.ts'
import type { GenerationDefaults } from '../causal-lm.ts'
import { type ConfigReader, configReader } from '../config/config-reader.ts'
import { parsePythonJson } from '../config/python-json.ts'
import { ConfigError } from '../errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import { refuseDraftOnly } from './draft-heads.ts'
import { configOfFirstLayers } from './first-layers.ts'

/** The text files of a checkpoint, by name. */
export interface TextFiles extends TokenizerFolder {
  /** For messages. */
  readonly name: string
}

/** Buffers that older exporters stored and that follow from the configuration. */
const DERIVED_BUFFERS = /\.(\w*rotary\w*\.inv_freq|masked_bias)$/

/** A causal mask [1, 1, positions, positions] that the GPT family stored with each layer. */
function isStoredMask({ name, shape }: TensorInfo): boolean {
  return shape.length === 4 && /\.(attn|attention)\.bias$/.test(name)
}

/** The head, on its own or inside a model of several modalities. */
const TIED_HEAD = /(^|\.)lm_head\.weight$/

/** Takes over the store: it is closed with the checkpoint, or here when the folder is refused. */
export async function huggingFaceCheckpoint(opened: WeightStore, files: TextFiles): Promise<Checkpoint> {
  const store = joinScaledFloat8(joinMicroscaled(opened))
  try {
    const config = await readJson(files, 'config.json')
    if (config === undefined) throw new ConfigError({ file: files.name, found: 'no config.json', expected: 'a folder with a config.json' })
    refuseDraftOnly(config)
    const architecture = await architectureOf(config)
    const description = architecture.describe(config)
    const tokenizer = await loadTokenizerFiles(files)
    const { tiedEmbeddings } = description.config
    return {
      name: files.name,
      architecture,
      description,
      describeFirst: (layers) => architecture.describe(configOfFirstLayers(config, layers)),
      weights: {
        store,
        find(name) {
          const { optionalPrefix } = architecture
          const short = optionalPrefix !== undefined && name.startsWith(optionalPrefix) ? name.slice(optionalPrefix.length) : name
          const info = store.tensors.get(name) ?? store.tensors.get(short)
          return info === undefined ? undefined : { info }
        },
        // a tied head is stored a second time by some exporters
        isExpectedUnused: (info) => DERIVED_BUFFERS.test(info.name) || isStoredMask(info) || (tiedEmbeddings && TIED_HEAD.test(info.name)),
      },
      ...(tokenizer === undefined ? {} : { tokenizer }),
      generationDefaults: generationDefaults(config, await readJson(files, 'generation_config.json')),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

/** A parsed text of the folder; undefined where there is none. */
export async function readJson(files: TextFiles, file: string): Promise<ConfigReader | undefined> {
  const text = await files.read(file)
  if (text === undefined) return undefined
  const place = `${files.name}/${file}`
  let parsed: unknown
  try {
    parsed = parsePythonJson(text)
  } catch (error) {
    throw new ConfigError({ file: place, found: 'text that is not JSON', expected: 'a JSON object' }, { cause: error })
  }
  return configReader(parsed, place)
}

/** `generation_config.json` over `config.json`, key by key. */
export function generationDefaults(config: ConfigReader, generation: ConfigReader | undefined): GenerationDefaults {
  const token = (key: string) => readTokens(generation, key)?.[0] ?? readTokens(config, key)?.[0]
  const number = (key: string) => generation?.optionalNumber(key)
  // the sampling numbers of a file that says do_sample: false are leftovers
  const samples = generation?.boolean('do_sample', false) ?? false
  const entries = {
    beginningOfText: token('bos_token_id'),
    padding: token('pad_token_id'),
    temperature: samples ? number('temperature') : undefined,
    topK: samples ? number('top_k') : undefined,
    topP: samples ? number('top_p') : undefined,
    minP: samples ? number('min_p') : undefined,
    repetitionPenalty: number('repetition_penalty'),
  }
  return {
    endOfText: readTokens(generation, 'eos_token_id') ?? readTokens(config, 'eos_token_id') ?? [],
    ...Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)),
  }
}

/** One token id or a list of them. */
function readTokens(config: ConfigReader | undefined, key: string): readonly number[] | undefined {
  if (config === undefined || !config.has(key)) return undefined
  return config.isList(key) ? config.numbers(key) : [config.number(key)]
}
