/** The script of a thread that converts its part of a model's weights and writes them to their places in the file. */
import { open } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { externalChunks } from '@foretoken/graph'
import { withFirstLayers } from '../checkpoint/first-layers.ts'
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts'
import { encodeForStore } from '../open-graph.ts'
import { externalBytes } from '../stored-model.ts'
import type { PartJob, PartMessage } from './convert-in-parallel.ts'
import { WritesUnderWay } from './writes-under-way.ts'

const answer = (message: PartMessage) => parentPort?.postMessage(message)

async function convert({ checkpoint: path, layers, file: target, index, of, totalBytes, ...options }: PartJob): Promise<void> {
  await using opened = await openCheckpoint(path)
  const { encoded } = encodeForStore(withFirstLayers(opened, layers), options, options.outputs)
  if (externalBytes(encoded) !== totalBytes) throw new RangeError(`${externalBytes(encoded)} bytes of weights, not ${totalBytes}`)
  await using file = await open(target, 'r+')
  await using writes = new WritesUnderWay(file)
  for await (const { offset, bytes } of externalChunks(encoded.external, { part: { index, of } })) {
    await writes.add(bytes, offset)
    answer({ kind: 'converted', byteLength: bytes.byteLength })
  }
  await writes.finish()
}

const job: PartJob = workerData
convert(job).then(
  () => answer({ kind: 'done' }),
  (error: unknown) => answer({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) }),
)
