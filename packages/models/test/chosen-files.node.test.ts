/** Files that a user chose, in Node, which has the same `File` as a page: the models are those of the folders. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { loadCausalLM } from '../src/index.ts'
import { checkpointFixture } from './checkpoint-fixture.ts'
import { exportLlama, tinyWeights, writeGraph } from './exported/exported-graph.ts'

async function blobsIn(folder: string): Promise<Map<string, Blob>> {
  const blobs = new Map<string, Blob>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    blobs.set(relative(folder, path).replaceAll('\\', '/'), new Blob([await readFile(path)]))
  }
  return blobs
}

async function logitsOf(source: Parameters<typeof loadCausalLM>[0], tokens: readonly number[]): Promise<Float32Array> {
  await using lm = await loadCausalLM(source, { selfTest: false })
  await using cache = lm.createCache()
  const { logits } = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { logits: 'all' } })
  return logits?.data ?? new Float32Array(0)
}

test.each(['llama', 'llama-sharded'])('%s opens from chosen files as from its folder', async (name) => {
  const { folder, inputIds } = await checkpointFixture(name)
  const tokens = inputIds[0] ?? []
  expect(await logitsOf(await blobsIn(folder), tokens)).toEqual(await logitsOf(folder, tokens))
})

test('an exported graph opens from chosen files, with its external data beside it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'chosen-'))
  try {
    const { folder, inputIds } = await checkpointFixture('llama')
    await writeGraph(exportLlama(await tinyWeights(folder), { attention: 'plain' }), join(root, 'onnx', 'model.onnx'))
    const files = await blobsIn(root)
    files.set('config.json', new Blob([await readFile(join(folder, 'config.json'))]))
    const tokens = inputIds[0] ?? []
    const found = await logitsOf(files, tokens)
    const weights = await logitsOf(folder, tokens)
    expect(found).toHaveLength(weights.length)
    expect(Math.max(...found.map((value, index) => Math.abs(value - (weights[index] ?? Number.NaN))))).toBeLessThan(1e-3)
    const data = [...files.keys()].filter((path) => path.startsWith('onnx/') && path !== 'onnx/model.onnx')
    for (const path of data) files.delete(path)
    if (data.length > 0) await expect(logitsOf(files, tokens)).rejects.toMatchObject({ code: 'checkpoint' })
  } finally {
    await rm(root, { recursive: true })
  }
})
