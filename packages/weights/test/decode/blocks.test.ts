import { decodeToFloat32 } from '@foretoken/weights'
import { describe, expect, test } from 'vitest'
import { randomBlocks } from '../builders/random-blocks.ts'
import { randomBytes } from '../builders/random-bytes.ts'
import { SLOW_BLOCKS, slowDecode } from '../builders/slow-blocks.ts'
import { storedTensor } from '../builders/stored-tensor.ts'

describe('blocks are de-quantised to the bits that a slow second implementation gives', () => {
  for (const { encoding, elements, bytes } of SLOW_BLOCKS) {
    test(encoding, () => {
      const blocks = randomBlocks(encoding, 70, 11)
      const decoded = decodeToFloat32(storedTensor(encoding, [70, elements], blocks))
      expect(new Uint32Array(decoded.buffer)).toEqual(new Uint32Array(slowDecode(encoding, blocks).buffer))
    })

    test(`${encoding} of random bits, infinite and NaN factors included`, () => {
      const blocks = randomBytes(5 * bytes, 23)
      expect(decodeToFloat32(storedTensor(encoding, [5 * elements], blocks))).toEqual(slowDecode(encoding, blocks))
    })
  }
})
