/** The options that choose a model, and opening it with progress on the terminal. */
import { join } from 'node:path'
import { type CausalLM, loadCausalLM, type WeightFormat } from '@foretoken/models'
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

export function addModelOptions(command: Command): Command {
  return command
    .option(
      '-m, --model <model>',
      'a folder, a .gguf file, or organisation/name[@revision][/file.gguf] of the hub (default: SmolLM2-135M-Instruct)',
    )
    .option('-f, --format <format>', 'how linear layers are packed: auto, f32, int8, int8-blocks, int4, stored', parseFormat)
    .option('-t, --threads <n>', 'threads inside an operator (default: one per core)', parsePositiveCount)
    .option('--cache <folder>', 'where downloads and converted weights are kept')
    .option('--offline', 'never download')
    .option('--no-keep', 'do not keep converted weights for the next start')
}

export interface OpenedModel extends AsyncDisposable {
  readonly lm: CausalLM
  readonly found: FoundModel
  /** From the call to the open model, downloads not counted. */
  readonly loadMs: number
}

/** Finds the model, downloads it when it is not here, and opens it. */
export async function openModel(options: ModelOptions, context: CommandContext): Promise<OpenedModel> {
  const found = await locateModel(options, context)
  const { terminal } = context
  const { signal } = context.interruption
  const line = progressLine(terminal.err)
  const start = performance.now()
  try {
    const lm = await loadCausalLM(found.path, {
      signal,
      ...(options.format === undefined ? {} : { format: options.format }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.keep === false ? {} : { convertedFolder: join(foldersOf(options, context).foretoken, 'converted') }),
      onProgress({ doneBytes, totalBytes }) {
        const elapsedMs = performance.now() - start
        line.show({ label: 'Preparing weights', receivedBytes: doneBytes, totalBytes, bytesPerSecond: (doneBytes * 1000) / elapsedMs })
      },
    })
    return { lm, found, loadMs: performance.now() - start, [Symbol.asyncDispose]: () => lm[Symbol.asyncDispose]() }
  } finally {
    line.end()
  }
}

/** The files of the model, downloaded when they are not here. */
export async function locateModel(options: ModelOptions, context: CommandContext): Promise<FoundModel> {
  const { terminal } = context
  const { signal } = context.interruption
  const folders = foldersOf(options, context)
  const { HF_ENDPOINT: endpoint, HF_TOKEN: accessToken } = terminal.environment
  const line = progressLine(terminal.err)
  try {
    const found = await findModel({
      model: options.model,
      modelFolders: modelFolders(terminal.environment),
      cacheFolder: folders.foretoken,
      hub: openHub({
        cacheFolder: folders.hub,
        ...(endpoint ? { endpoint } : {}),
        ...(accessToken ? { accessToken } : {}),
        ...(options.offline ? { offline: true } : {}),
      }),
      onProgress: (progress) => line.show(progress),
      signal,
    })
    return found
  } finally {
    line.end()
  }
}

function foldersOf(options: ModelOptions, { terminal }: CommandContext) {
  const folders = cacheFolders(terminal.environment, terminal.home)
  return options.cache === undefined ? folders : { hub: join(options.cache, 'hub'), foretoken: join(options.cache, 'foretoken') }
}
