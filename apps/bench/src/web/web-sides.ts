/** The sides of a run in the browser, and the files that they need, made once from the same model. */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Checkpoint, openCheckpoint } from '@foretoken/models'
import { exportedConfig, exportedGraph, reasonNotExported } from '../prepare/exported-graph.ts'
import { fingerprintOf, prepareFile } from '../prepare/prepared-file.ts'
import { requantizedGguf } from '../prepare/requantized-gguf.ts'
import type { ComparedPeer } from '../report/rows.ts'
import type { Skipped } from '../sides.ts'
import type { WebSource } from './web-job.ts'
import type { WebOptions } from './web-options.ts'

export interface WebSide {
  readonly name: string
  readonly source: WebSource
  /** The file on disk whose perplexity in llama.cpp stands for a side that tells no probabilities. */
  readonly file?: string
}

export interface WebSides {
  readonly sides: readonly WebSide[]
  readonly peers: readonly ComparedPeer[]
  readonly skipped: readonly Skipped[]
  /** What the server calls `/models/`. */
  readonly modelsFolder: string
}

export const OURS = 'foretoken'
const TRANSFORMERS = 'transformers.js wasm q8'
const WLLAMA = 'wllama'
/** The quickest of wllama's settings here, the only one of the quick run. */
const QUICKEST_WLLAMA = `${WLLAMA} Q8_0/f32`

export interface WebFiles {
  readonly model: string
  readonly tokenizer: string | undefined
}

export async function prepareWebSides(files: WebFiles, options: WebOptions, say: (line: string) => void): Promise<WebSides> {
  const { cacheFolder, only, format, isQuick } = options
  const modelsFolder = join(cacheFolder, fingerprintOf(files.model))
  const isWanted = (name: string) => only.length === 0 || only.some((text) => name.includes(text))
  mkdirSync(modelsFolder, { recursive: true })
  const own = basename(files.model)
  linkFile(files.model, join(modelsFolder, own))
  const sides: WebSide[] = [{ name: OURS, source: { kind: 'foretoken', file: `/models/${own}`, format } }]
  const skipped: Skipped[] = []

  if (isWanted(TRANSFORMERS)) {
    await using checkpoint = await openCheckpoint(files.model)
    const reason =
      files.tokenizer === undefined
        ? 'found no tokenizer.json beside the model, expected one (--tokenizer DIR)'
        : await prepareExport(checkpoint, files.tokenizer, join(modelsFolder, 'exported'), say)
    if (reason === undefined) sides.push({ name: TRANSFORMERS, source: { kind: 'transformers.js', model: 'exported', dtype: 'q8' } })
    else skipped.push({ name: TRANSFORMERS, reason })
  }

  const encoding = /(q4_[01]|q8_0)\.gguf$/i.exec(own)?.[1]?.toUpperCase() ?? 'file'
  for (const each of [encoding, ...(['Q4_0', 'Q8_0'] as const).filter((other) => other !== encoding)]) {
    for (const cacheType of ['f32', 'f16'] as const) {
      const name = `${WLLAMA} ${each}/${cacheType}`
      if (!isWanted(name) || (isQuick && name !== QUICKEST_WLLAMA)) continue
      const file = each === encoding ? own : `${each}.gguf`
      if (each === 'Q4_0' || each === 'Q8_0') {
        await prepareFile(join(modelsFolder, file), () => {
          say(`preparing ${each} for ${WLLAMA}`)
          return requantizedGguf(files.model, each)
        })
      }
      sides.push({ name, source: { kind: 'wllama', file: `/models/${file}`, cacheType }, file: join(modelsFolder, file) })
    }
  }
  return { sides, peers: comparedWebPeers(sides.map(({ name }) => name)), skipped, modelsFolder }
}

/** Each side by itself; where wllama has several, also the best of them in each measure. */
export function comparedWebPeers(names: readonly string[]): ComparedPeer[] {
  const others = names.filter((name) => name !== OURS)
  const wllama = others.filter((name) => name.startsWith(WLLAMA))
  const single = others.filter((name) => !name.startsWith(WLLAMA)).map((name) => ({ name, sides: [name] }))
  return wllama.length === 0 ? single : [...single, { name: `${WLLAMA}, best`, sides: wllama }]
}

async function prepareExport(checkpoint: Checkpoint, tokenizer: string, folder: string, say: (line: string) => void) {
  const reason = reasonNotExported(checkpoint)
  if (reason !== undefined) return reason
  mkdirSync(folder, { recursive: true })
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(tokenizer, file), join(folder, file))
  writeFileSync(join(folder, 'config.json'), exportedConfig(checkpoint))
  await prepareFile(join(folder, 'onnx', 'model_quantized.onnx'), () => {
    say(`preparing q8 for transformers.js`)
    return exportedGraph(checkpoint, 'q8')
  })
  return undefined
}

function linkFile(target: string, path: string): void {
  try {
    symlinkSync(target, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
