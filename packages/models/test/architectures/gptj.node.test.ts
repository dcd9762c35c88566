import { expect, test } from 'vitest'
import { checkpointOf, fixtureParts } from '../checkpoint-variants.ts'

test.each([
  ['a head of which an unknown part is rotated', { rotary_dim: null }, /rotary_dim: found null/],
  ['an odd number of rotated elements', { rotary_dim: 7 }, /rotary_dim: found 7, expected an even number up to 16/],
  ['more rotated elements than a head has', { rotary_dim: 64 }, /rotary_dim: found 64, expected an even number up to 16/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('gptj')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
