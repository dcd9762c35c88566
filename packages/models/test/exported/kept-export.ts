/**
 * Graphs that real exporters made of the tiny checkpoints, as `fixtures/exported` keeps them: without the numbers that the checkpoint
 * has too. Here these are put back, as external data beside the graph.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { decodeToFloat32, openWeights } from '@foretoken/weights'
import { checkpointFixture } from '../checkpoint-fixture.ts'

const kept = (name: string) => fileURLToPath(new URL(`../fixtures/exported/${name}`, import.meta.url))

interface KeptExport {
  readonly config: unknown
  readonly weights: readonly (readonly [turned: boolean, ...parts: (readonly [tensor: string, first: number, behind: number])[]])[]
}

/** A folder as the hub has it, of the export `exporter-checkpoint`. */
export async function writeKeptExport(exporter: string, checkpoint: string, folder: string): Promise<void> {
  const { config, weights }: KeptExport = JSON.parse(await readFile(kept(`${exporter}-${checkpoint}.json`), 'utf8'))
  const source = (await checkpointFixture(checkpoint)).folder
  await using store = await openWeights(source)
  const pieces: Float32Array[] = []
  for (const [isTurned, ...parts] of weights) {
    const rows: Float32Array[] = []
    let width = 0
    for (const [tensor, first, behind] of parts) {
      const all = decodeToFloat32(await store.read(tensor))
      width = all.length / (store.tensors.get(tensor)?.shape[0] ?? 0)
      rows.push(all.subarray(first * width, behind * width))
    }
    const joined = Float32Array.from(rows.flatMap((part) => [...part]))
    pieces.push(isTurned ? turned(joined, width) : joined)
  }
  const file = exporter === 'merged' ? 'decoder_model_merged.onnx' : 'model.onnx'
  await mkdir(join(folder, 'onnx'), { recursive: true })
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'onnx', file), gunzipSync(await readFile(kept(`${exporter}-${checkpoint}.onnx.gz`))))
  await writeFile(join(folder, 'onnx', 'weights.bin'), Buffer.concat(pieces.map(({ buffer }) => new Uint8Array(buffer))))
}

function turned(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width
  const out = new Float32Array(rows.length)
  for (let row = 0; row < count; row++) for (let at = 0; at < width; at++) out[at * count + row] = rows[row * width + at] ?? 0
  return out
}
