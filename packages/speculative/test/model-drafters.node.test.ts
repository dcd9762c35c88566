/** Drafters that run a model, on real graphs: ids, log-probabilities and cache of plain decoding, and the draft's own rows. */
import { join } from 'node:path'
import { type Drafter, generateText, PrefixCache, prefixProcessor, type SingleGenerationOptions } from '@foretoken/generation'
import type { KvCache } from '@foretoken/kv-cache'
import { type CausalLM, loadCausalLM, type WeightFormat } from '@foretoken/models'
import { expect, test } from 'vitest'
import { draftModel, dynamicTree, earlyExit, frequentTokens, jacobi, lookahead, lossyContrastive } from '../src/index.ts'
import { watchedModel } from './fakes/watched-model.ts'

const fixtures = process.env.FORETOKEN_FIXTURES
const models = process.env.FORETOKEN_MODELS
const checkpoint = (name: string) => join(fixtures ?? '', 'checkpoints', name)

const even = prefixProcessor('even tokens after odd places', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: readonly SingleGenerationOptions[] = [
  {},
  { sampling: { kind: 'sample', temperature: 0.7, seed: 4 } },
  { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 5 } },
  { repetitionPenalty: 1.1 },
  { processors: [even], sampling: { kind: 'sample', temperature: 0.7, topP: 0.9, seed: 6 } },
]
const TOKENS = [165, 89, 225, 163, 150, 165, 89, 225, 163, 150, 7, 165, 89]

/** Looks at a draft's rows after each proposal: those of the tokens that it was told, and of what it drafted. */
function checked(drafter: Drafter, draft: CausalLM, open: ReadonlySet<KvCache>): Drafter {
  return {
    ...drafter,
    begin(context) {
      const session = drafter.begin(context)
      return {
        ...session,
        async propose(request) {
          const proposal = await session.propose(request)
          const [cache] = open
          if (cache === undefined || cache.length === 0) return proposal
          const tokens = [...request.tokens, ...(proposal?.tokens ?? [])].slice(0, cache.length)
          await using plain = draft.createCache()
          const { rows } = await draft.forward({ tokens: Int32Array.from(tokens), cache: plain, want: {} })
          plain.append(rows)
          expect(cache.snapshot()).toEqual(plain.snapshot())
          return proposal
        },
      }
    },
  }
}

test.skipIf(!fixtures).each(['f32', 'int8-rows'] satisfies WeightFormat[])(
  'llama in %s: ids, log-probabilities and rows of plain decoding, and rows of the draft as if computed at once (needs FORETOKEN_FIXTURES)',
  async (format) => {
    await using lm = await loadCausalLM(checkpoint('llama'), { format })
    await using first = await loadCausalLM(checkpoint('llama'), { format, layers: 1 })
    await using other = await loadCausalLM(checkpoint('llama-bias'), { format })
    for (const options of OPTIONS) {
      const all = { speculate: 'off' as const, tokens: TOKENS, maxNewTokens: 20, stopTokens: [], ...options }
      await using plainCache = new PrefixCache(lm)
      const plain = await generateText(lm, { ...all, cache: plainCache })
      const plainRows = rowsOf(plainCache, lm, plain.ids.length + TOKENS.length)
      let accepted = 0
      for (const draft of [lm, first, other]) {
        const watched = watchedModel(draft)
        const drafters: readonly Drafter[] = [
          checked(draftModel(watched, { leastConfidence: 0 }), draft, watched.open),
          dynamicTree(watched, { threshold: 0.02 }),
          dynamicTree(watched, { growth: 'heap', threshold: 0.02 }),
          ...(draft === lm ? [jacobi(), lookahead()] : []),
          ...(draft === other ? [] : [checked(earlyExit(watched, { leastConfidence: 0 }), draft, watched.open)]),
        ]
        for (const speculate of drafters) {
          await using cache = new PrefixCache(lm)
          const drafted = await generateText(lm, { ...all, cache, speculate })
          expect(drafted.ids).toEqual(plain.ids)
          expect(drafted.logProbabilities).toEqual(plain.logProbabilities)
          expect(rowsOf(cache, lm, drafted.ids.length + TOKENS.length)).toEqual(plainRows)
          expect(watched.open.size).toBe(0)
          accepted += drafted.statistics.speculation?.accepted ?? 0
        }
      }
      expect(accepted).toBeGreaterThan(40)
    }
  },
  120_000,
)

/** The rows that a prefix cache holds, by lending them for a longer prompt and giving them back. */
function rowsOf(cache: PrefixCache, lm: CausalLM, length: number) {
  const held = cache.tokens
  const loan = cache.lend(
    lm,
    Int32Array.from({ length: length + 1 }, (_, i) => held[i] ?? 0),
  )
  const { positions, rows } = loan.cache.snapshot()
  void loan.undo()
  expect(positions.length).toBe(length - 1)
  return { positions, rows }
}

test.skipIf(!fixtures)('an early exit computes neither the prompt nor what was accepted (needs FORETOKEN_FIXTURES)', async () => {
  await using lm = await loadCausalLM(checkpoint('llama'), { format: 'f32' })
  await using first = await loadCausalLM(checkpoint('llama'), { format: 'f32', layers: 1 })
  const rows: number[] = []
  const forward: CausalLM['forward'] = (step) => {
    rows.push(step.tokens.length)
    return first.forward(step)
  }
  const watched = { ...watchedModel(first), forward }
  await generateText(lm, { tokens: TOKENS, maxNewTokens: 12, stopTokens: [], speculate: earlyExit(watched, { leastConfidence: 0 }) })
  expect(rows.length).toBeGreaterThan(10)
  expect(new Set(rows)).toEqual(new Set([1]))
})

test.skipIf(!fixtures)(
  'a draft with a part of its head changes no token, and drafts none that it has not (needs FORETOKEN_FIXTURES)',
  async () => {
    await using lm = await loadCausalLM(checkpoint('llama'), { format: 'int8-rows' })
    const sampled = { sampling: { kind: 'sample', temperature: 0.9, topP: 0.9, seed: 8 } } as const
    for (const option of [{}, sampled, { processors: [even] }]) {
      const all = { speculate: 'off' as const, tokens: TOKENS, maxNewTokens: 40, stopTokens: [], ...option }
      const plain = await generateText(lm, all)
      const headTokens = frequentTokens([plain.ids], { vocab: lm.config.vocab, count: 16 })
      await using draft = await loadCausalLM(checkpoint('llama'), { format: 'int8-rows', headTokens })
      for (const drafter of [
        draftModel(draft, { leastConfidence: 0 }),
        dynamicTree(draft, { threshold: 0.02 }),
        dynamicTree(draft, { threshold: 0.02, draws: 'independent' }),
      ]) {
        const seen = new Set<number>()
        const speculate: Drafter = {
          ...drafter,
          begin(context) {
            const session = drafter.begin(context)
            const propose = async (request: Parameters<typeof session.propose>[0]) => {
              const proposal = await session.propose(request)
              for (const token of proposal?.tokens ?? []) seen.add(token)
              return proposal
            }
            return { ...session, propose }
          },
        }
        const drafted = await generateText(lm, { ...all, speculate })
        expect(drafted.ids).toEqual(plain.ids)
        expect([...seen].filter((token) => !headTokens.includes(token))).toEqual([])
        expect(drafted.statistics.speculation?.accepted).toBeGreaterThan(5)
      }
      expect(() => lossyContrastive({ large: lm, small: draft })).toThrow(expect.objectContaining({ code: 'model-pair' }))
      await expect(generateText(draft, all)).rejects.toMatchObject({ code: 'logits' })
    }
  },
)

test.skipIf(!fixtures)('an early exit of another model, or of recurrent layers, is refused (needs FORETOKEN_FIXTURES)', async () => {
  await using lm = await loadCausalLM(checkpoint('llama'), { format: 'f32' })
  await using other = await loadCausalLM(checkpoint('qwen2'), { format: 'f32', layers: 1 })
  await expect(generateText(lm, { tokens: [1], speculate: earlyExit(other) })).rejects.toMatchObject({ code: 'model-pair' })
  await using mamba = await loadCausalLM(checkpoint('mamba'), { format: 'f32' })
  await using state = await loadCausalLM(checkpoint('mamba'), { format: 'f32', layers: 1 })
  await expect(generateText(mamba, { tokens: [1], speculate: earlyExit(state) })).rejects.toMatchObject({ code: 'model-pair' })
  const all = { speculate: 'off' as const, tokens: TOKENS, maxNewTokens: 24, stopTokens: [] }
  const drafted = await generateText(mamba, { ...all, speculate: draftModel(state, { leastConfidence: 0 }), speculateInexactly: true })
  if (mamba.plan.exact) expect(drafted.ids).toEqual((await generateText(mamba, all)).ids)
  const self = await generateText(mamba, { ...all, speculate: draftModel(mamba, { leastConfidence: 0 }), speculateInexactly: true })
  expect(self.statistics.speculation?.tokensPerStep).toBeGreaterThan(3)
})

test.skipIf(!models)(
  'SmolLM2: its own first 26 layers draft for it, with the ids of plain decoding, greedy and sampled (needs FORETOKEN_MODELS)',
  async () => {
    const file = join(models ?? '', 'smollm2-135m-instruct-q4_1.gguf')
    await using lm = await loadCausalLM(file)
    await using draft = await loadCausalLM(file, { layers: 26, selfTest: false })
    const messages = [{ role: 'user', content: 'Write a Python function that adds two numbers.' }]
    for (const option of [{}, { sampling: { kind: 'sample', temperature: 0.7, topP: 0.9, seed: 1 }, repetitionPenalty: 1.1 }] as const) {
      const all = { speculate: 'off' as const, messages, maxNewTokens: 10, ...option }
      const plain = await generateText(lm, all)
      for (const speculate of [earlyExit(draft), dynamicTree(draft, { nodes: 6 }), jacobi(), lookahead()]) {
        const drafted = await generateText(lm, { ...all, speculate })
        expect(drafted.ids).toEqual(plain.ids)
        if (speculate.name.startsWith('early')) expect(drafted.statistics.speculation?.accepted).toBeGreaterThan(0)
      }
    }
  },
  300_000,
)
