import { decodeToFloat32, openWeights } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { fixtureJson, fixturePath } from '../builders/fixture-files.ts'

test('every metadata type, nested arrays and integer tensors are read as the reference wrote them', async () => {
  await using store = await openWeights(fixturePath('gguf/metadata-types.gguf'))
  const expected = fixtureJson('gguf/metadata-types.expected.json')
  const found = Object.fromEntries(
    [...store.metadata].filter(([key]) => typeof expected === 'object' && expected !== null && key in expected),
  )
  const withTexts: unknown = JSON.parse(JSON.stringify(found, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
  expect(withTexts).toEqual(expected)
  expect(store.metadata.get('foretoken.test.uint64')).toBe(9007199254740993n)
  const integers = [...store.tensors.values()].filter(({ encoding }) => ['I8', 'I32', 'I64', 'F64'].includes(encoding))
  expect(new Set(integers.map(({ encoding }) => encoding)).size).toBe(4)
  for (const { name, shape } of integers) {
    expect(decodeToFloat32(await store.read(name))).toHaveLength(shape.reduce((product, dimension) => product * dimension, 1))
  }
})
