/** The loop on real graphs: small random checkpoints with the ids that transformers gives for them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateBeams, generateText, generateTexts, PrefixCache, score } from '@foretoken/generation'
import { loadCausalLM } from '@foretoken/models'
import { expect, test } from 'vitest'
import { slowBeamSearch } from './slow/beam-search.ts'
import { softmaxOf } from './slow/truncation.ts'

const fixtures = process.env.FORETOKEN_FIXTURES
const folderOf = (name: string) => join(fixtures ?? '', 'checkpoints', name)
const open = (name: string) => loadCausalLM(folderOf(name), { format: 'f32' })
const PROMPTS = [[165, 89, 225, 163, 150], [7], [3, 3, 200, 41, 8, 100, 12]]

async function greedyOf(name: string): Promise<{ prompt: number[]; ids: number[] }> {
  return JSON.parse(await readFile(join(folderOf(name), 'expected.json'), 'utf8')).greedy
}

test.skipIf(!fixtures).each(['llama', 'mistral', 'qwen2', 'qwen3'])(
  '%s gives the greedy ids of transformers (needs FORETOKEN_FIXTURES)',
  async (name) => {
    await using lm = await open(name)
    const { prompt, ids } = await greedyOf(name)
    const options = { tokens: prompt, maxNewTokens: ids.length, stopTokens: [] }
    expect((await generateText(lm, options)).ids).toEqual(ids)
    expect((await generateText(lm, { ...options, prefillRows: 3 })).ids).toEqual(ids)
  },
)

test.skipIf(!fixtures)('a batch, and a cache that is reused, give what a fresh generation gives (needs FORETOKEN_FIXTURES)', async () => {
  await using lm = await open('llama')
  await using cache = new PrefixCache(lm)
  const options = { maxNewTokens: 12, stopTokens: [], sampling: { kind: 'sample', temperature: 1.5, seed: 3 } } as const
  const together = await generateTexts(
    lm,
    PROMPTS.map((tokens) => ({ tokens })),
    options,
  )
  for (const [row, tokens] of PROMPTS.entries()) {
    const alone = await generateText(lm, { ...options, tokens, sequence: row })
    expect(together[row]?.ids).toEqual(alone.ids)
    expect(together[row]?.logProbabilities).toEqual(alone.logProbabilities)
    const longer = [...tokens, ...alone.ids, 9, 10]
    await generateText(lm, { ...options, tokens, sequence: row, cache })
    const reusing = await generateText(lm, { ...options, tokens: longer, cache })
    const fresh = await generateText(lm, { ...options, tokens: longer })
    expect(reusing.statistics.reusedTokens).toBe(longer.length - 3)
    expect(reusing.ids).toEqual(fresh.ids)
    expect(reusing.logProbabilities).toEqual(fresh.logProbabilities)
  }
})

test.skipIf(!fixtures)('beams with forked caches give what recomputing everything gives (needs FORETOKEN_FIXTURES)', async () => {
  await using lm = await open('llama')
  const tokens = PROMPTS[0] ?? []
  // A slow search that wants log-probabilities at once gets them from a table, filled where it is empty.
  const table = new Map<string, number[]>()
  for (;;) {
    let missing: readonly number[] | undefined
    const expected = slowBeamSearch({
      next(output) {
        const known = table.get(output.join(' '))
        if (known === undefined) missing ??= output
        return known ?? new Array(lm.config.vocab).fill(-1)
      },
      count: 3,
      room: 5,
      lengthPenalty: 1,
      earlyStopping: false,
      stopTokens: [],
    })
    if (missing === undefined) {
      const found = await generateBeams(lm, { tokens, maxNewTokens: 5, stopTokens: [], beams: { count: 3 } })
      expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids))
      return
    }
    const { top } = await score(lm, { tokens: [...tokens, ...missing], topK: lm.config.vocab })
    const row = new Array<number>(lm.config.vocab).fill(0)
    const last = (top?.tokens.length ?? 0) - lm.config.vocab
    for (let i = last; i < last + lm.config.vocab; i++) row[top?.tokens[i] ?? 0] = top?.logits[i] ?? 0
    table.set(missing.join(' '), softmaxOf(row).map(Math.log))
  }
})

test.skipIf(!fixtures).each(['phi3-longrope', 'phi3-partial-longrope'])(
  '%s: crossing the length where the rope jumps computes the rows again, as transformers does (needs FORETOKEN_FIXTURES)',
  async (name) => {
    await using lm = await open(name)
    const { prompt, ids } = await greedyOf(name)
    const options = { maxNewTokens: ids.length, stopTokens: [], beyondContext: true }
    expect((await generateText(lm, { ...options, tokens: prompt })).ids).toEqual(ids)
    // through a cache: a second turn within the short rope, one that crosses, and one after it
    await using cache = new PrefixCache(lm)
    const first = await generateText(lm, { ...options, tokens: prompt, maxNewTokens: 2, cache })
    const second = await generateText(lm, { ...options, tokens: [...prompt, ...first.ids], maxNewTokens: 20, cache })
    expect([...first.ids, ...second.ids]).toEqual(ids.slice(0, 22))
    const third = await generateText(lm, { ...options, tokens: [...prompt, ...ids.slice(0, 22)], maxNewTokens: 5, cache })
    expect(third.ids).toEqual(ids.slice(22, 27))
    expect(third.statistics.reusedTokens).toBe(prompt.length + 21)
    const short = await generateText(lm, { ...options, tokens: prompt, maxNewTokens: 2, cache })
    expect(short.ids).toEqual(ids.slice(0, 2))
    expect(short.statistics.reusedTokens).toBe(0)
  },
)

test.skipIf(!fixtures)(
  'generations beside each other, prompts that begin alike and beams give what they give alone (needs FORETOKEN_FIXTURES)',
  async () => {
    await using lm = await open('llama-rope-llama3')
    const common = Array.from({ length: 270 }, (_, at) => (at * 13) % 240)
    const prompts = [[...common, 5], [7, 8], [...common, 9, 1, 2], common.slice(0, 250)].map((tokens) => ({ tokens }))
    const options = { maxNewTokens: 12, stopTokens: [], sampling: { kind: 'sample', temperature: 1.5, seed: 3 } } as const
    const alone = []
    for (const [row, prompt] of prompts.entries()) alone.push(await generateText(lm, { ...prompt, ...options, sequence: row }))
    const batch = await generateTexts(lm, prompts, options)
    const beside = await Promise.all(prompts.map((prompt, row) => generateText(lm, { ...prompt, ...options, sequence: row })))
    for (const [row, { ids, logProbabilities }] of alone.entries()) {
      for (const other of [batch[row], beside[row]]) {
        expect(other?.ids).toEqual(ids)
        expect(other?.logProbabilities).toEqual(logProbabilities)
      }
    }
    expect(batch.map(({ statistics }) => statistics.reusedTokens)).toEqual([0, 0, 270, 249])

    const search = { tokens: prompts[3]?.tokens ?? [], maxNewTokens: 10, stopTokens: [], beams: { count: 3 } }
    const [first, second] = await Promise.all([generateBeams(lm, search), generateBeams(lm, search)])
    expect(first).toEqual(await generateBeams(lm, search))
    expect(second).toEqual(first)
    expect(lm.memory().cacheBytes).toBe(0)
  },
)
