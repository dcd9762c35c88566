/** A model with a part of its head against the whole one. */
import { join } from 'node:path'
import { loadCausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'

const fixtures = process.env.FORETOKEN_FIXTURES
const checkpoint = (name: string) => join(fixtures ?? '', 'checkpoints', name)
const tokens = Int32Array.of(9, 4, 120, 33, 7)
const headTokens = Int32Array.of(0, 3, 17, 18, 33, 120, 200, 255)

test.skipIf(!fixtures).each([
  ['llama', 'f32'],
  ['llama', 'int8-rows'],
  ['llama-tied', 'f32'],
  ['llama-tied', 'int8'],
  ['gpt2', 'f32'],
  ['phi', 'f32'],
] as const)(
  '%s in %s: the logits of some tokens are those of the whole head (needs FORETOKEN_FIXTURES)',
  async (name, format) => {
    await using whole = await loadCausalLM(checkpoint(name), { format })
    await using part = await loadCausalLM(checkpoint(name), { format, headTokens })
    await using wholeCache = whole.createCache()
    await using partCache = part.createCache()
    const all = await whole.forward({ tokens, cache: wholeCache, want: { logits: 'all' } })
    const own = await part.forward({ tokens, cache: partCache, want: { logits: 'all', topK: 3 } })
    expect(own.logits?.dims).toEqual([5, 8])
    expect(own.rows.layers).toEqual(all.rows.layers)
    const { vocab } = whole.config
    expect([part.config.vocab, part.config.headTokens]).toEqual([vocab, headTokens])
    for (const [i, value] of (own.logits?.data ?? []).entries()) {
      const expected = all.logits?.data[Math.floor(i / 8) * vocab + (headTokens[i % 8] ?? 0)] ?? Number.NaN
      expect(value).toBeCloseTo(expected, 4)
    }
    const row = [...headTokens].sort((a, b) => (all.logits?.data[4 * vocab + b] ?? 0) - (all.logits?.data[4 * vocab + a] ?? 0))
    expect([...(own.topK?.tokens ?? [])].slice(12)).toEqual(row.slice(0, 3))
    expect(part.plan.exact).toBe(false)
    expect(part.plan.notes.join()).toMatch(/logits of 8 tokens of/)
  },
  90_000,
)

test.skipIf(!fixtures).each([[[]], [[3, 3]], [[4, 2]], [[-1, 2]], [[2, 256]]])(
  '%j as tokens of the head is refused (needs FORETOKEN_FIXTURES)',
  async (ids) => {
    await expect(loadCausalLM(checkpoint('llama'), { headTokens: Int32Array.from(ids) })).rejects.toMatchObject({ code: 'argument' })
  },
)
