/** The sides of a run: ours, and every other one that can take part here. What cannot is named with the reason. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '@foretoken/models'
import type { BenchOptions } from './options.ts'
import type { PeerSource } from './peers/job.ts'
import { exportedConfig, exportedGraph, reasonNotExported } from './prepare/exported-graph.ts'
import { fingerprintOf, prepareFile } from './prepare/prepared-file.ts'
import { requantizedGguf } from './prepare/requantized-gguf.ts'
import type { ComparedPeer, OurSide } from './report/rows.ts'

export interface Side {
  readonly name: string
  readonly source: PeerSource
  /** Only its start is of interest: it gets the shortest prompt and no text. */
  readonly isStartOnly?: boolean
}

export interface Sides {
  readonly sides: readonly Side[]
  readonly ours: readonly OurSide[]
  readonly peers: readonly ComparedPeer[]
  readonly skipped: readonly Skipped[]
}

export interface Skipped {
  readonly name: string
  readonly reason: string
}

export interface SideFiles {
  readonly model: string
  readonly tokenizer: string | undefined
}

const OURS = 'foretoken'
const OURS_UNKEPT = 'foretoken, nothing kept'
const LLAMA = 'node-llama-cpp'
const TRANSFORMERS = 'transformers.js'

type Found = { readonly sides: readonly Side[]; readonly skipped?: undefined } | { readonly sides?: undefined; readonly skipped: Skipped }

interface Preparation {
  readonly files: SideFiles
  /** Where prepared files of this model are. */
  readonly folder: string
  /** @param name  of a side */
  isWanted(name: string): boolean
  say(line: string): void
}

/** Prepares what the sides need (a minute the first time), which is then in the cache folder. */
export async function prepareSides(files: SideFiles, options: BenchOptions, say: (line: string) => void): Promise<Sides> {
  const { format, cacheFolder, only } = options
  const folder = join(cacheFolder, fingerprintOf(files.model))
  const work: Preparation = {
    files,
    folder,
    isWanted: (name) => only.length === 0 || only.some((text) => name.includes(text)),
    say,
  }
  const found = [await llamaSides(work), await transformersSides(work)]
  const others = found.flatMap(({ sides = [] }) => sides)
  const own = { kind: 'foretoken', file: files.model, format } as const
  return {
    sides: [
      { name: OURS, source: { ...own, convertedFolder: join(cacheFolder, 'converted') } },
      ...others,
      { name: OURS_UNKEPT, source: own, isStartOnly: true },
    ],
    ours: [{ side: OURS }, { side: OURS_UNKEPT, variant: 'nothing kept', measures: ['first token', 'ready', 'peak memory'] }],
    peers: comparedPeers(others.map(({ name }) => name)),
    skipped: found.flatMap(({ skipped }) => skipped ?? []),
  }
}

/** Each side by itself; where a library has several, also the fastest of node-llama-cpp's formats, and the best of transformers.js' in each measure. */
export function comparedPeers(names: readonly string[]): ComparedPeer[] {
  return [LLAMA, TRANSFORMERS].flatMap((library) => {
    const sides = names.filter((name) => name.startsWith(library))
    const single = sides.map((name) => ({ name, sides: [name] }))
    if (sides.length < 2) return single
    const chosen: ComparedPeer =
      library === LLAMA ? { name: `${library}, fastest format`, sides, choice: 'fastest' } : { name: `${library}, best`, sides }
    return [...single, chosen]
  })
}

async function llamaSides({ files: { model }, folder, isWanted, say }: Preparation): Promise<Found> {
  if (!isInstalled('node-llama-cpp')) return notInstalled(LLAMA)
  const encoding = /(q4_[01]|q8_0)\.gguf$/i.exec(model)?.[1]?.toUpperCase() ?? 'file'
  const sides: Side[] = []
  if (isWanted(`${LLAMA} ${encoding}`)) sides.push({ name: `${LLAMA} ${encoding}`, source: { kind: 'node-llama-cpp', file: model } })
  for (const other of ['Q4_0', 'Q8_0'] as const) {
    if (other === encoding || !isWanted(`${LLAMA} ${other}`)) continue
    const file = join(folder, `${other}.gguf`)
    await prepareFile(file, () => {
      say(`preparing ${other} for ${LLAMA}`)
      return requantizedGguf(model, other)
    })
    sides.push({ name: `${LLAMA} ${other}`, source: { kind: 'node-llama-cpp', file } })
  }
  return { sides }
}

async function transformersSides({ files: { model, tokenizer }, folder, isWanted, say }: Preparation): Promise<Found> {
  if (!isInstalled('@huggingface/transformers')) return notInstalled(TRANSFORMERS)
  if (tokenizer === undefined) {
    return { skipped: { name: TRANSFORMERS, reason: 'found no tokenizer.json beside the model, expected one (--tokenizer DIR)' } }
  }
  await using checkpoint = await openCheckpoint(model)
  const reason = reasonNotExported(checkpoint)
  if (reason !== undefined) return { skipped: { name: TRANSFORMERS, reason } }
  const exported = join(folder, 'exported')
  mkdirSync(exported, { recursive: true })
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(tokenizer, file), join(exported, file))
  writeFileSync(join(exported, 'config.json'), exportedConfig(checkpoint))
  const sides: Side[] = []
  for (const [dtype, file] of [
    ['q4', 'model_q4.onnx'],
    ['q8', 'model_quantized.onnx'],
  ] as const) {
    if (!isWanted(`${TRANSFORMERS} ${dtype}`)) continue
    await prepareFile(join(exported, 'onnx', file), () => {
      say(`preparing ${dtype} for ${TRANSFORMERS}`)
      return exportedGraph(checkpoint, dtype)
    })
    sides.push({ name: `${TRANSFORMERS} ${dtype}`, source: { kind: 'transformers.js', folder: exported, dtype } })
  }
  return { sides }
}

function notInstalled(name: string): Found {
  return { skipped: { name, reason: 'not installed' } }
}

function isInstalled(packageName: string): boolean {
  try {
    import.meta.resolve(packageName)
    return true
  } catch {
    return false
  }
}
