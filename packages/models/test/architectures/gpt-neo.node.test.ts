import { expect, test } from 'vitest'
import { checkpointOf, fixtureParts, logitsOf } from '../checkpoint-variants.ts'

test('the written-out list of layers means the same as the patterns', async () => {
  const { config, tensors, tokens } = await fixtureParts('gpt_neo')
  const { attention_types: _, ...rest } = config
  const listed = await logitsOf(await checkpointOf({ ...rest, attention_layers: ['global', 'local'] }, tensors), tokens)
  expect(listed).toEqual(await logitsOf(await checkpointOf(config, tensors), tokens))
})

test.each([
  ['too few layers in the list', { attention_layers: ['global'] }, /attention_layers: found 1 layers, expected 2/],
  ['too many repetitions', { attention_types: [[['global', 'local'], 1e12]] }, /attention_types: found 4 layers, expected 2/],
  [
    'an unknown kind of attention',
    { attention_types: [[['global', 'linear'], 1]] },
    /attention_types: found "linear", expected global or local/,
  ],
  ['a pattern that is none', { attention_types: ['global'] }, /attention_types: found "global", expected a list of patterns/],
  ['a window of nothing', { window_size: 0 }, /window_size: found 0/],
])('%s is refused', async (_, change, message) => {
  const { config, tensors } = await fixtureParts('gpt_neo')
  await expect(checkpointOf({ ...config, ...change }, tensors)).rejects.toMatchObject({
    code: 'model-config',
    message: expect.stringMatching(message),
  })
})
