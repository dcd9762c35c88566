/**
 * The `adapter_config.json` of a LoRA adapter (Hu et al. 2021), as PEFT writes it. What changes the computation is read or refused by
 * name; what only concerned training is passed over; a key that is not known may change the computation, so it has to be unset.
 */
import { type ConfigReader, configReader } from '../config/config-reader.ts'
import { ConfigError } from '../errors.ts'

export interface LoraConfig {
  /** Ends of the names of the adapted modules; undefined where the file has an expression instead of a list. */
  readonly targets: readonly string[] | undefined
  rankOf(module: string): number
  /** What the product of both matrices is multiplied by: alpha / rank, or alpha / sqrt(rank) with `use_rslora`. */
  scaleOf(module: string): number
}

const READ = [
  'peft_type',
  'r',
  'lora_alpha',
  'target_modules',
  'rank_pattern',
  'alpha_pattern',
  'use_rslora',
  'bias',
  'init_lora_weights',
  'task_type',
]

/** Training, bookkeeping, and what follows from the tensors themselves. `fan_in_fan_out` follows from the layer. */
const PASSED_OVER = [
  'arrow_config',
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'ensure_weight_tying',
  'eva_config',
  'exclude_modules',
  'fan_in_fan_out',
  'inference_mode',
  'layers_pattern',
  'layers_to_transform',
  'lora_dropout',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
]

/** What is known and not built. */
const NOT_BUILT: ReadonlyMap<string, string> = new Map([
  ['use_dora', 'DoRA'],
  ['modules_to_save', 'modules that replace those of the model'],
  ['lora_bias', 'biases of their own'],
  ['layer_replication', 'layers that are repeated'],
  ['trainable_token_indices', 'rows of the embedding'],
  ['target_parameters', 'parameters that are no modules'],
  ['alora_invocation_tokens', 'adapters that begin at a token'],
  ['use_qalora', 'QA-LoRA'],
  ['megatron_config', 'Megatron layers'],
])

/** Ways of starting that leave the model's own weights as they are; the others need a model that was changed with them. */
const PLAIN_STARTS = ['gaussian', 'eva', 'orthogonal']

/** @throws {ConfigError} for what is missing, unknown, or not built */
export function readLoraConfig(parsed: unknown, file: string): LoraConfig {
  const config = configReader(parsed, file)
  refuseUnbuilt(parsed, config)
  config.choice('peft_type', ['LORA'])
  config.choice('bias', ['none'], 'none')
  config.choice('task_type', ['CAUSAL_LM'], 'CAUSAL_LM')
  const rank = config.count('r')
  const alpha = config.number('lora_alpha')
  const entries = new Map<string, unknown>(Object.entries(parsed ?? {}))
  const ranks = readPatterns(config, 'rank_pattern', entries)
  const alphas = readPatterns(config, 'alpha_pattern', entries)
  const usesRoot = config.boolean('use_rslora', false)
  const rankOf = (module: string) => valueFor(ranks, module) ?? rank
  return {
    targets: config.isList('target_modules') ? config.strings('target_modules') : undefined,
    rankOf,
    scaleOf: (module) => (valueFor(alphas, module) ?? alpha) / (usesRoot ? Math.sqrt(rankOf(module)) : rankOf(module)),
  }
}

function refuseUnbuilt(parsed: unknown, config: ConfigReader): void {
  for (const [key, value] of Object.entries(parsed ?? {})) {
    if (isUnset(value) || READ.includes(key) || PASSED_OVER.includes(key)) continue
    const what = NOT_BUILT.get(key)
    config.refuse(key, shown(value), what === undefined ? 'a key that is known, or unset' : `none: ${what} are not built`)
  }
  const start: unknown = Object.entries(parsed ?? {}).find(([key]) => key === 'init_lora_weights')?.[1]
  if (typeof start === 'string' && !PLAIN_STARTS.includes(start)) {
    config.refuse('init_lora_weights', shown(start), `true, false, ${PLAIN_STARTS.join(', ')}: the others change the weights of the model`)
  }
}

function isUnset(value: unknown): boolean {
  if (value === null || value === false || value === '') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** Numbers for some modules: ends of names, or whole names after a `^`. */
function readPatterns(config: ConfigReader, key: string, entries: ReadonlyMap<string, unknown>): readonly (readonly [string, number])[] {
  const patterns = config.object(key)
  if (patterns === undefined) return []
  return Object.keys(entries.get(key) ?? {}).map((pattern) => {
    // PEFT takes these for expressions; one from a file could run for ever, and files hold names
    if (!/^\^?(?:[\w-]|\\?\.)+\$?$/.test(pattern)) {
      throw new ConfigError({ file: config.file, field: key, found: JSON.stringify(pattern), expected: 'names of modules' })
    }
    const value = key === 'rank_pattern' ? patterns.count(pattern) : patterns.number(pattern)
    return [pattern.replace(/\$$/, '').replaceAll('\\.', '.'), value] as const
  })
}

function valueFor(patterns: readonly (readonly [string, number])[], module: string): number | undefined {
  const found = patterns.find(([pattern]) =>
    pattern.startsWith('^') ? module === pattern.slice(1) : module === pattern || module.endsWith(`.${pattern}`),
  )
  return found?.[1]
}
