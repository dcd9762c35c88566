import { readdirSync } from 'node:fs'
import { decodeToFloat32, openWeights } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { fixturePath, sharedFixtures } from '../builders/fixture-files.ts'

/** Compares a model's tensors with what the reference de-quantised: whole, first rows, and sums of rows. Returns how many were compared. */
async function compare(path: string): Promise<number> {
  await using store = await openWeights(path)
  await using expected = await openWeights(path.replace('.gguf', '.expected.safetensors'))
  let compared = 0
  for (const [name, info] of expected.tensors) {
    const [tensor = '', what = 'whole'] = name.split('#')
    if (!store.tensors.has(tensor)) continue
    const reference = await expected.read(name)
    const values = decodeToFloat32(await store.read(tensor))
    if (what === 'sums') {
      const sums = new Float64Array(reference.bytes.slice().buffer)
      const width = values.length / sums.length
      for (const [row, sum] of sums.entries()) {
        expect(values.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 8)
      }
    } else {
      const bits = new Uint32Array(values.buffer, 0, reference.bytes.byteLength / 4)
      expect(bits, `${name} of ${info.file}`).toEqual(new Uint32Array(reference.bytes.slice().buffer))
    }
    compared++
  }
  return compared
}

describe('every tensor has the bits that the reference gives', () => {
  for (const type of ['q2_k', 'q3_k', 'q4_1']) {
    test(type, async () => expect(await compare(fixturePath(`gguf/tiny-llama-${type}.gguf`))).toBeGreaterThan(10))
  }

  test.skipIf(sharedFixtures === undefined)('all types (needs FORETOKEN_FIXTURES)', async () => {
    const folder = `${sharedFixtures}/gguf`
    const names = readdirSync(folder).filter((name) => /^tiny-llama-.*\.gguf$/.test(name))
    expect(names.length).toBe(13)
    for (const name of names) await compare(`${folder}/${name}`)
  })
})
