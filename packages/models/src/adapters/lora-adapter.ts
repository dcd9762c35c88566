/** A LoRA adapter in memory: for each adapted module the two matrices whose product is added to its weight. */
import { ArgumentError, ShapeError } from '@foretoken/tensor'
import { decodeToFloat32, openWeights, type WeightStore } from '@foretoken/weights'
import { fingerprintOf, readFolderText } from '#platform'
import { CheckpointError, ConfigError } from '../errors.ts'
import { type LoraConfig, readLoraConfig } from './lora-config.ts'

export interface AdapterOptions {
  /** A folder with adapter_config.json and adapter_model.safetensors. */
  readonly path: string
  /** For `DecodeStep.adapters` and the plan; the last part of the path when absent. */
  readonly name?: string
  /** How much of the adapter counts, 1 by default. */
  readonly scale?: number
  /**
   * `merge` (default) adds it to the weights before they are packed: nothing remains to be computed in a step. `runtime` keeps it beside
   * them, in float32, as two small products for each module: its scale may be another in each step.
   */
  readonly mode?: 'merge' | 'runtime'
}

export interface LoraAdapter {
  readonly name: string
  readonly path: string
  readonly mode: 'merge' | 'runtime'
  readonly scale: number
  readonly pairs: readonly LoraPair[]
  /** Changes when the files or the options do. */
  readonly fingerprint: string
}

/** What is added to a module's output: `scale * (x Aᵀ) Bᵀ`. */
export interface LoraPair {
  /** Name of the module, as the model has it. */
  readonly module: string
  readonly rank: number
  readonly inputs: number
  readonly outputs: number
  /** Of the adapter's own configuration. */
  readonly scale: number
  /** A [rank, inputs] */
  readonly down: Float32Array
  /** B [outputs, rank] */
  readonly up: Float32Array
}

const WEIGHTS = 'adapter_model.safetensors'
const LORA_TENSOR = /^(?:base_model\.model\.)?(.+)\.lora_(A|B)\.weight$/

/** @throws {ConfigError} {CheckpointError} {ShapeError} with the adapter's file and the tensor */
export async function openAdapters(wanted: readonly AdapterOptions[]): Promise<readonly LoraAdapter[]> {
  const adapters: LoraAdapter[] = []
  for (const options of wanted) {
    const { path, name = lastPart(path), scale = 1, mode = 'merge' } = options
    if (!Number.isFinite(scale)) throw new ArgumentError({ file: path, field: 'scale', found: String(scale), expected: 'a finite number' })
    if (mode !== 'merge' && mode !== 'runtime') {
      throw new ArgumentError({ file: path, field: 'mode', found: JSON.stringify(mode), expected: 'merge or runtime' })
    }
    if (adapters.some((other) => other.name === name)) {
      throw new ArgumentError({ file: path, field: 'name', found: `two adapters called ${name}`, expected: 'different names' })
    }
    const config = await readConfig(path)
    await using store = await openStore(path)
    const pairs = await readPairs(store, config, path)
    checkTargets(config, pairs, path)
    const fingerprint = `${await fingerprintOf(path)} ${name} ${mode} ${scale}`
    adapters.push({ name, path, mode, scale, pairs, fingerprint })
  }
  return adapters
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path
}

async function readConfig(path: string): Promise<LoraConfig> {
  const file = `${path}/adapter_config.json`
  const text = await readFolderText(path, 'adapter_config.json')
  if (text === undefined) throw new ConfigError({ file: path, found: 'no adapter_config.json', expected: 'a folder with a LoRA adapter' })
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ConfigError({ file, found: 'text that is not JSON', expected: 'a JSON object' }, { cause: error })
  }
  return readLoraConfig(parsed, file)
}

async function openStore(path: string): Promise<WeightStore> {
  try {
    return await openWeights(`${path}/${WEIGHTS}`)
  } catch (cause) {
    if ((await readFolderText(path, 'adapter_model.bin')) === undefined) throw cause
    const expected = `${WEIGHTS}: pickled weights can run code when they are read, so they never are`
    throw new CheckpointError({ file: path, found: 'adapter_model.bin', expected }, { cause })
  }
}

async function readPairs(store: WeightStore, config: LoraConfig, path: string): Promise<readonly LoraPair[]> {
  const file = `${path}/${WEIGHTS}`
  const modules = new Map<string, Map<string, string>>()
  const others: string[] = []
  for (const name of store.tensors.keys()) {
    const [, module, which] = LORA_TENSOR.exec(name) ?? []
    if (module === undefined || which === undefined) {
      others.push(name)
      continue
    }
    const names = modules.get(module) ?? new Map<string, string>()
    names.set(which, name)
    modules.set(module, names)
  }
  if (others.length > 0) {
    const listed = others.slice(0, 20).join(', ')
    throw new CheckpointError({
      file,
      found: `${others.length} tensors that are no part of a LoRA: ${listed}`,
      expected: '….lora_A.weight and ….lora_B.weight',
    })
  }
  if (modules.size === 0) throw new CheckpointError({ file, found: 'no tensors', expected: '….lora_A.weight and ….lora_B.weight' })

  const pairs: LoraPair[] = []
  for (const [module, names] of modules) {
    const rank = config.rankOf(module)
    const down = await matrix('A')
    const up = await matrix('B')
    if (down.rows !== rank) throw wrongShape(down, `[${rank}, inputs]`)
    if (up.columns !== rank) throw wrongShape(up, `[outputs, ${rank}]`)
    pairs.push({ module, rank, inputs: down.columns, outputs: up.rows, scale: config.scaleOf(module), down: down.data, up: up.data })

    async function matrix(which: 'A' | 'B') {
      const tensor = names.get(which)
      if (tensor === undefined) {
        throw new CheckpointError({ file, tensor: `${module}.lora_${which}.weight`, found: 'no such tensor', expected: 'both matrices' })
      }
      const stored = await store.read(tensor)
      const [rows, columns] = stored.shape
      if (stored.shape.length !== 2 || rows === undefined || columns === undefined) {
        throw new ShapeError({ file, tensor, found: `[${stored.shape.join(', ')}]`, expected: 'a matrix' })
      }
      return { tensor, rows, columns, data: decodeToFloat32(stored) }
    }
  }
  return pairs

  function wrongShape({ tensor, rows, columns }: { tensor: string; rows: number; columns: number }, expected: string): ShapeError {
    return new ShapeError({ file, tensor, found: `[${rows}, ${columns}]`, expected: `${expected} by the rank in adapter_config.json` })
  }
}

/** A module that is listed has to be there, or a part of the adapter would be missing without a word. */
function checkTargets({ targets = [] }: LoraConfig, pairs: readonly LoraPair[], path: string): void {
  const missing = targets.filter((target) => !pairs.some(({ module }) => module === target || module.endsWith(`.${target}`)))
  if (missing.length === 0) return
  throw new CheckpointError({
    file: `${path}/adapter_config.json`,
    field: 'target_modules',
    found: `${missing.join(', ')}, of which ${WEIGHTS} has no tensors`,
    expected: 'modules of the model with their tensors',
  })
}
