/** The options that choose a model, and opening it with progress on the terminal. */
import { join } from 'node:path'
import { type CausalLM, type Checkpoint, loadCausalLM, type WeightFormat } from '@foretoken/models'
import { openHub } from '@foretoken/weights/hub'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { type FoundModel, findModel } from './model-search/find-model.ts'
import { cacheFolders, modelFolders } from './model-search/search-folders.ts'
import { parseFormat, parsePositiveCount } from './option-values.ts'
import { progressLine } from './progress-line.ts'

export interface ModelOptions {
  readonly model?: string
  readonly format?: WeightFormat
  readonly threads?: number
  readonly cache?: string
  readonly offline?: boolean
  /** False after --no-keep. */
  readonly keep?: boolean
}

/** Weights that are ready in this time need no progress line. */
const QUIET_MS = 500

/** The options of a command that needs the model's files, not the running model. */
export function addLocationOptions(command: Command): Command {
  return command
    .option(
      '-m, --model <model>',
      'a folder, a .gguf file, or organisation/name[@revision][/file.gguf] of the hub (default: SmolLM2-135M-Instruct)',
    )
    .option('--cache <folder>', 'where downloads and converted weights are kept')
    .option('--offline', 'never download')
}

export function addModelOptions(command: Command): Command {
  return addLocationOptions(command)
    .option('-f, --format <format>', 'how linear layers are packed: auto, f32, int8, int8-rows, int4, stored', parseFormat)
    .option('-t, --threads <n>', 'threads inside an operator (default: one per physical core)', parsePositiveCount)
    .option('--no-keep', 'do not keep converted weights for the next start')
}

export interface OpenedModel extends AsyncDisposable {
  readonly lm: CausalLM
  readonly found: FoundModel
  /** From the files to the open model, downloads not counted. */
  readonly loadMs: number
}

/** Finds the model, downloads it when it is not here, and opens it. */
export async function openModel(options: ModelOptions, context: CommandContext): Promise<OpenedModel> {
  const found = await locateModel(options, context)
  return { found, ...(await openWeights(found.path, options, context)) }
}

/** @param source  a path, or an open checkpoint, which is closed with the model */
export async function openWeights(
  source: string | Checkpoint,
  options: ModelOptions,
  context: CommandContext,
): Promise<Omit<OpenedModel, 'found'>> {
  const { terminal } = context
  const { signal } = context.interruption
  const line = progressLine(terminal.err)
  const start = performance.now()
  try {
    const lm = await loadCausalLM(source, {
      signal,
      ...(options.format === undefined ? {} : { format: options.format }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.keep === false ? {} : { convertedFolder: join(foldersOf(options, context).foretoken, 'converted') }),
      onProgress({ doneBytes, totalBytes }) {
        const elapsedMs = performance.now() - start
        if (elapsedMs < QUIET_MS) return
        line.show({ label: 'Preparing weights', receivedBytes: doneBytes, totalBytes, bytesPerSecond: (doneBytes * 1000) / elapsedMs })
      },
    })
    return { lm, loadMs: performance.now() - start, [Symbol.asyncDispose]: () => lm[Symbol.asyncDispose]() }
  } finally {
    line.end()
  }
}

/** The files of the model, downloaded when they are not here. */
export async function locateModel(options: ModelOptions, context: CommandContext): Promise<FoundModel> {
  const { environment, err } = context.terminal
  const folders = foldersOf(options, context)
  const { HF_ENDPOINT: endpoint, HF_TOKEN: accessToken } = environment
  const line = progressLine(err)
  try {
    return await findModel({
      model: options.model,
      modelFolders: modelFolders(environment),
      cacheFolder: folders.foretoken,
      hub: openHub({
        cacheFolder: folders.hub,
        ...(endpoint ? { endpoint } : {}),
        ...(accessToken ? { accessToken } : {}),
        ...(options.offline || isOn(environment.HF_HUB_OFFLINE) ? { offline: true } : {}),
      }),
      onProgress: (progress) => line.show(progress),
      signal: context.interruption.signal,
    })
  } finally {
    line.end()
  }
}

/** As the hub's own tools read their switches. */
function isOn(value: string | undefined): boolean {
  return ['1', 'on', 'yes', 'true'].includes((value ?? '').toLowerCase())
}

function foldersOf(options: ModelOptions, { terminal }: CommandContext) {
  const folders = cacheFolders(terminal.environment, terminal.home)
  return options.cache === undefined ? folders : { hub: join(options.cache, 'hub'), foretoken: join(options.cache, 'foretoken') }
}
