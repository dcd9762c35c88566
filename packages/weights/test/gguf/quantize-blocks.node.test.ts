import { quantizeBlocks } from '@foretoken/weights'
import { expect, test } from 'vitest'
import { fixtureJson } from '../builders/fixture-files.ts'

const fixture = fixtureJson('gguf/quantized-blocks.json') as { readonly values: string; readonly blocks: Record<string, string> }

test('values are quantised to the bytes that the reference makes of them', () => {
  const values = new Float32Array(Uint8Array.from(Buffer.from(fixture.values, 'hex')).buffer)
  for (const encoding of ['Q4_0', 'Q4_1', 'Q8_0'] as const) {
    expect(Buffer.from(quantizeBlocks(values, encoding)).toString('hex'), encoding).toBe(fixture.blocks[encoding])
  }
})

test('values that do not fill blocks or are not finite are refused', () => {
  expect(() => quantizeBlocks(new Float32Array(33), 'Q8_0')).toThrow(/33 values/)
  for (const encoding of ['Q4_0', 'Q4_1', 'Q8_0'] as const) {
    expect(() => quantizeBlocks(new Float32Array(32).fill(Number.NaN, 31), encoding)).toThrow(/finite/)
  }
})
