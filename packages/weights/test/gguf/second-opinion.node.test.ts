import { readdirSync } from 'node:fs'
import { openWeights } from '@foretoken/weights'
import { GGMLQuantizationType, gguf } from '@huggingface/gguf'
import { describe, expect, test } from 'vitest'
import { fixturePath, sharedFixtures, sharedModels } from '../builders/fixture-files.ts'

/** Compares names, types, shapes, places of data and all metadata with what another reader finds. */
async function compare(path: string): Promise<void> {
  const theirs = await gguf(path, { allowLocalFile: true })
  await using ours = await openWeights(path)
  expect(ours.tensors.size).toBe(theirs.tensorInfos.length)
  for (const tensor of theirs.tensorInfos) {
    const info = ours.tensors.get(tensor.name)
    expect(info?.encoding).toBe(GGMLQuantizationType[tensor.dtype])
    expect(info?.shape).toEqual(tensor.shape.map(Number).reverse())
  }
  const names = Object.keys(theirs.metadata).filter((key) => !['version', 'tensor_count', 'kv_count'].includes(key))
  expect([...ours.metadata.keys()].sort()).toEqual(names.sort())
  const metadata = new Map<string, unknown>(Object.entries(theirs.metadata))
  for (const [key, value] of ours.metadata) expect(value, key).toEqual(metadata.get(key))
}

describe('the same header as @huggingface/gguf', () => {
  const own = readdirSync(fixturePath('gguf')).filter((name) => name.endsWith('.gguf'))
  for (const name of own) test(name, () => compare(fixturePath(`gguf/${name}`)))

  test.skipIf(sharedFixtures === undefined)('all fixtures (needs FORETOKEN_FIXTURES)', async () => {
    const folder = `${sharedFixtures}/gguf`
    const names = readdirSync(folder).filter((name) => name.endsWith('.gguf'))
    expect(names.length).toBeGreaterThanOrEqual(14)
    for (const name of names) await compare(`${folder}/${name}`)
  })

  test.skipIf(sharedModels === undefined)('SmolLM2 (needs FORETOKEN_MODELS)', () =>
    compare(`${sharedModels}/smollm2-135m-instruct-q4_1.gguf`),
  )
})
