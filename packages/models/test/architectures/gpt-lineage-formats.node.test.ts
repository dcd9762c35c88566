/** The integer formats on the older decoders: transposed and fused weights, biases, learned positions, ALiBi. */
import { expect, test } from 'vitest'
import { loadCausalLM } from '../../src/index.ts'
import { checkpointFixture } from '../checkpoint-fixture.ts'
import { fixtureParts, logitsOf } from '../checkpoint-variants.ts'

const NAMES = [
  'gpt2',
  'gpt2-scales',
  'gpt_neo',
  'gpt_neox',
  'gpt_neox-sequential',
  'gptj',
  'opt',
  'opt-post-norm',
  'opt-no-bias',
  'bloom',
  'bloom-heads-6',
  'bloom-post-norm-residual',
  'mpt',
  'mpt-clip',
  'falcon',
  'falcon-groups',
  'falcon-alibi',
]
/** Mean absolute difference from the logits of float32, as a share of their root mean square. */
const BOUNDS = [
  ['int8', 0.04],
  ['int8-rows', 0.04],
  ['int4', 0.22],
] as const

test.each(NAMES)('the integer formats of %s stay near float32, and their rows are exact', async (name) => {
  const { folder } = await checkpointFixture(name)
  const { tokens } = await fixtureParts(name)
  const expected = await logitsOf(folder, tokens)
  const meanSquare = expected.reduce((sum, value) => sum + value * value, 0) / expected.length
  for (const [format, bound] of BOUNDS) {
    const found = await logitsOf(folder, tokens, format)
    const difference = found.reduce((sum, value, at) => sum + Math.abs(value - (expected[at] ?? 0)), 0) / found.length
    expect(difference / Math.sqrt(meanSquare), format).toBeLessThan(bound)
    await using lm = await loadCausalLM(folder, { format })
    expect(lm.plan.exact, lm.plan.notes.join('; ')).toBe(true)
  }
})
