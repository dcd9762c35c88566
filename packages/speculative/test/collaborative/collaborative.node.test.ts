/** The same on real graphs: pairs of small random checkpoints, of different depth and of different weights. */
import { join } from 'node:path'
import { generateText } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'
import { lossyCascade, lossyContrastive, lossyProxyTuning } from '../../src/index.ts'
import { slowCascade, slowContrast, slowly, slowProxy } from './slow-combinations.ts'

const fixtures = process.env.FORETOKEN_FIXTURES
const checkpoint = (name: string) => join(fixtures ?? '', 'checkpoints', name)

test.skipIf(!fixtures).each(['f32', 'int8-rows'] as const)(
  'in %s two and three models have the ids of the slow rules (needs FORETOKEN_FIXTURES)',
  async (format) => {
    await using large = await loadCausalLM(checkpoint('llama'), { format })
    await using small = await loadCausalLM(checkpoint('llama'), { format, layers: 1 })
    await using other = await loadCausalLM(checkpoint('llama-bias'), { format })
    const prompt = [165, 89, 225, 163]
    const plainly = { speculate: 'off' as const, tokens: prompt, maxNewTokens: 16, stopTokens: [] }
    const contrastive = await generateText(lossyContrastive({ large, small }), plainly)
    expect(contrastive.ids).toEqual(await slowly(slowContrast(large, small, 1.5, 0.1), prompt, 16))
    const proxy = await generateText(lossyProxyTuning({ large, tuned: other, untuned: small }), plainly)
    expect(proxy.ids).toEqual(await slowly(slowProxy(large, other, small, 1), prompt, 16))
    const cascade = lossyCascade({ small, large, consult: { kind: 'confidence', below: 0.5 } })
    const expected = await slowly(
      slowCascade(small, large, ([best = 0]) => best < 0.5),
      prompt,
      16,
    )
    expect((await generateText(cascade, plainly)).ids).toEqual(expected)
  },
  60_000,
)
