import { expect, test } from 'vitest'
import { ARCHITECTURES } from '../../src/architectures/registry.ts'

test('each architecture is registered under the names that its file gives', async () => {
  for (const { modelTypes, ggufNames, load } of ARCHITECTURES) {
    const architecture = await load()
    expect(modelTypes).toEqual(architecture.modelTypes)
    expect(ggufNames).toEqual(architecture.gguf?.architectures ?? [])
  }
})

test('no model type is registered twice', () => {
  const all = ARCHITECTURES.flatMap(({ modelTypes }) => modelTypes)
  expect(new Set(all).size).toBe(all.length)
})
