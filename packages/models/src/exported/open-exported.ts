/** Opening an exported decoder: everything it names is read and checked before ONNX Runtime sees the file. */
import { decodeModel, type ModelProto, OnnxFormatError } from '@foretoken/graph'
import type { Runtime } from '@foretoken/runtime'
import { loadTokenizerFiles } from '@foretoken/tokenizers'
import type { FileSet } from '@foretoken/weights'
import { namesInFolder, openGraphFile, readFolderText } from '#platform'
import type { CausalLM, Plan } from '../causal-lm.ts'
import { generationDefaults, readJson, type TextFiles } from '../checkpoint/hugging-face-checkpoint.ts'
import { ConfigError } from '../errors.ts'
import { selfTest } from '../self-test.ts'
import { describeExported, type ExportedDescription } from './exported-config.ts'
import { type ExportedInterface, readExportedInterface } from './exported-interface.ts'
import { ExportedModel } from './exported-model.ts'
import type { GraphFile } from './graph-file.ts'
import { graphInFiles, textsOf } from './graph-in-files.ts'

export interface OpenExportedOptions {
  readonly threads?: number
  readonly selfTest?: boolean
  readonly signal?: AbortSignal
}

/**
 * @param source  the path of the .onnx file, with config.json beside it or in the folder above; or the graph's place in a set of files
 * @throws {OnnxFormatError} {UnsupportedArchitectureError} {ConfigError} {CheckpointError}, before anything is opened
 */
export async function openExported(
  source: string | { readonly files: FileSet; readonly path: string },
  runtime: Runtime,
  options: OpenExportedOptions,
): Promise<CausalLM> {
  const isOnDisk = typeof source === 'string'
  const file = isOnDisk ? await openGraphFile(source) : await graphInFiles(source.files, source.path)
  const { path } = file
  const graph = readExportedInterface(decoded(file), path)
  const externalBytes = await file.checkExternal(graph.externalLocations)
  const texts = isOnDisk ? textsInFolder(file.folder) : textsOf(source.files)
  const config = await readJson(texts, 'config.json')
  if (config === undefined) {
    throw new ConfigError({ file: path, found: 'no config.json', expected: 'one beside the graph, or in the folder above' })
  }
  const description = describeExported(config, graph)
  const tokenizer = await loadTokenizerFiles(texts)
  const facts = {
    name: path,
    graph,
    description,
    ...(tokenizer === undefined ? {} : { tokenizer }),
    generationDefaults: generationDefaults(config, await readJson(texts, 'generation_config.json')),
    weightsBytes: graph.inlineBytes + externalBytes,
    graphBytes: file.bytes.byteLength - graph.inlineBytes,
  }
  const session = await openSession(file, isOnDisk, graph, runtime, options)
  const model = (plan: Plan) => new ExportedModel({ ...facts, session, plan })
  try {
    const plan = describePlan(runtime, graph, description, options)
    if (options.selfTest === false) return model({ ...plan, notes: [...plan.notes, 'not exact: the self-test was switched off'] })
    const { exact, note } = await selfTest(model(plan), {
      positionsEnd: Math.min(graph.positionRows ?? description.config.maxPositions, description.lost?.from ?? Number.POSITIVE_INFINITY),
      // also where the graph takes positions: masks that were traced with tables of their own end where those end
      countsPositions: true,
      startsEmpty: graph.hasCacheBranch,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    return model({ ...plan, exact, notes: note === undefined ? plan.notes : [...plan.notes, `not exact: ${note}`] })
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

function textsInFolder(folder: string): TextFiles {
  return { name: folder, read: (name) => readFolderText(folder, name), list: () => namesInFolder(folder) }
}

function decoded(file: GraphFile): ModelProto {
  try {
    return decodeModel(file.bytes)
  } catch (cause) {
    if (!(cause instanceof OnnxFormatError)) throw cause
    const { where, found, expected } = cause
    throw new OnnxFormatError({ ...where, file: file.path, found, expected }, { cause })
  }
}

async function openSession(
  file: GraphFile,
  isOnDisk: boolean,
  graph: ExportedInterface,
  runtime: Runtime,
  { threads, signal }: OpenExportedOptions,
) {
  const source =
    runtime.name === 'onnxruntime-node' && isOnDisk
      ? { kind: 'file' as const, path: file.path }
      : { kind: 'bytes' as const, bytes: file.bytes, externalData: await file.readExternal(graph.externalLocations) }
  return runtime.open(source, {
    name: file.path,
    ...(threads === undefined ? {} : { threads }),
    ...(signal === undefined ? {} : { signal }),
  })
}

function describePlan(runtime: Runtime, graph: ExportedInterface, { lost }: ExportedDescription, options: OpenExportedOptions): Plan {
  const { device } = runtime
  const notes = [
    ...device.notes,
    'an exported graph: the cache is turned and copied whole in every step, and logits of all rows leave the graph',
    ...(graph.hasCacheBranch ? ['a merged decoder: after cached rows a step has one row'] : []),
    ...(graph.countsPositions ? ['positions follow the number of cached rows: the cache cannot lose rows in its middle'] : []),
    ...(lost === undefined ? [] : [`the graph lacks ${lost.what}: positions end at ${lost.from}`]),
  ]
  return {
    runtime: `${runtime.name} ${runtime.version}`,
    provider: device.provider,
    threads: options.threads ?? device.threads,
    formats: { graph: 'as exported', cache: graph.cacheType },
    exact: false,
    notes,
  }
}
