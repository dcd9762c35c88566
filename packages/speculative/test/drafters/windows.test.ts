/** Jacobi and Lookahead decoding: no token changes, and guesses are what iterations by hand give. */
import { type Drafter, generateText, type Proposal, prefixProcessor, type SingleGenerationOptions } from '@foretoken/generation'
import { describe, expect, test } from 'vitest'
import { jacobi } from '../../src/drafters/jacobi.ts'
import { lookahead } from '../../src/drafters/lookahead.ts'
import { hashModel } from '../fakes/hash-model.ts'

const parity = prefixProcessor('parity', (logits, { tokens }) => {
  for (let token = 0; token < logits.length; token++) if ((token + tokens.length) % 2 === 1) logits[token] = Number.NEGATIVE_INFINITY
})

const OPTIONS: Record<string, SingleGenerationOptions> = {
  greedy: {},
  'temperature 0.7': { sampling: { kind: 'sample', temperature: 0.7, seed: 1 } },
  'temperature 1.2, top-p 0.9': { sampling: { kind: 'sample', temperature: 1.2, topP: 0.9, seed: 2 } },
  'repetition penalty 1.1 and a constraint': { repetitionPenalty: 1.1, processors: [parity], sampling: { kind: 'sample', seed: 3 } },
}
const DRAFTERS: Record<string, () => Drafter> = {
  'Jacobi decoding': () => jacobi(),
  'Jacobi decoding of 1': () => jacobi({ block: 1 }),
  'lookahead decoding': () => lookahead(),
  'lookahead decoding with 4-grams': () => lookahead({ ngram: 4, columns: 5, runs: 3 }),
}

describe.each(Object.entries(DRAFTERS))('%s', (_name, create) => {
  test.each(Object.entries(OPTIONS))('%s: the ids of plain decoding', async (_options, options) => {
    for (const memory of [1, 2]) {
      const lm = hashModel({ vocab: 32, memory })
      const all = { speculate: 'off' as const, tokens: [1, 2, 3], maxNewTokens: 60, ...options }
      const plain = await generateText(lm, all)
      const drafted = await generateText(lm, { ...all, speculate: create() })
      expect(drafted.ids).toEqual(plain.ids)
      expect(drafted.logProbabilities).toEqual(plain.logProbabilities)
    }
  })
})

/** The proposals of a generation, with the tokens that were there before each. */
async function proposalsOf(drafter: Drafter, options: SingleGenerationOptions, lm = hashModel({ vocab: 32, memory: 2 })) {
  const seen: { readonly tokens: number[]; readonly proposal: Proposal | undefined }[] = []
  const recording: Drafter = {
    ...drafter,
    begin(context) {
      const session = drafter.begin(context)
      return {
        ...session,
        async propose(request) {
          const proposal = await session.propose(request)
          seen.push({ tokens: [...request.tokens], proposal })
          return proposal
        },
      }
    },
  }
  const { statistics } = await generateText(lm, { tokens: [1, 2, 3], maxNewTokens: 40, ...options, speculate: recording })
  return { seen, speculation: statistics.speculation }
}

test.each([{}, { sampling: { kind: 'sample', temperature: 0.8, seed: 6 } }] as const)(
  'guesses of Jacobi decoding are what the model says after the guesses before them (options %#)',
  async (options) => {
    const { seen } = await proposalsOf(jacobi({ block: 4 }), options)
    const lm = hashModel({ vocab: 32, memory: 2 })
    const next = async (tokens: readonly number[]) => {
      const one = await generateText(lm, { tokens, maxNewTokens: 1, speculate: 'off', stopTokens: [], ...options })
      return one.ids[0]
    }
    let refined = 0
    for (const [i, { tokens, proposal }] of seen.entries()) {
      const before = seen[i - 1]
      if (before?.proposal === undefined || proposal === undefined) continue
      const emitted = tokens.length - before.tokens.length
      for (let depth = emitted; depth < before.proposal.tokens.length + 1 && depth - emitted < proposal.tokens.length; depth++) {
        const prefix = [...before.tokens, ...before.proposal.tokens.slice(0, depth)]
        expect(proposal.tokens[depth - emitted]).toBe(await next(prefix))
        refined++
      }
    }
    expect(refined).toBeGreaterThan(20)
  },
)

test('columns and runs of lookahead decoding follow the model: with one that looks at a single token every run is accepted', async () => {
  const lm = hashModel({ vocab: 64, memory: 1 })
  const next = new Map<number, number>()
  for (let token = 0; token < 64; token++) {
    const { ids } = await generateText(lm, { tokens: [token], maxNewTokens: 1, speculate: 'off' })
    next.set(token, ids[0] ?? -1)
  }
  const { seen, speculation } = await proposalsOf(lookahead({ ngram: 4, columns: 4 }), {}, lm)
  let stacked = 0
  for (const { tokens, proposal } of seen) {
    const nodes = [...(proposal?.tokens ?? [])]
    for (const [node, token] of nodes.entries()) {
      const parent = proposal?.parents[node] ?? -1
      expect(token).toBe(next.get(parent < 0 ? (tokens.at(-1) ?? 0) : (nodes[parent] ?? 0)))
    }
    const { tokens: window, parents } = proposal?.unverified ?? { tokens: [], parents: [] }
    // the first rows are the lowest tokens; those behind them stand on another row of the window
    const columns = [...parents].findIndex((parent, row) => parent !== (row === 0 ? -1 : nodes.length + row - 1))
    for (let row = columns < 0 ? window.length : columns; row < window.length; row++) {
      expect(window[row]).toBe(next.get(window[(parents[row] ?? 0) - nodes.length] ?? -1))
      stacked++
    }
  }
  expect(stacked).toBeGreaterThan(20)
  expect(speculation?.accepted).toBe(speculation?.drafted)
  expect(speculation?.accepted).toBeGreaterThan(0)
})

test('the window keeps to the rows there is room for, and options to their ranges', async () => {
  const lm = hashModel({ vocab: 32 })
  const session = lookahead({ ngram: 4, columns: 6 }).begin({
    lm,
    cache: lm.createCache(),
    prompt: Int32Array.of(1, 2),
    sampling: { kind: 'greedy' },
    sequence: 0,
    stopTokens: new Set(),
    signal: undefined,
    clock: () => 0,
  })
  for (const most of [1, 2, 5, 40]) {
    const proposal = await session.propose({ tokens: Int32Array.of(1, 2), most, deepest: 1 })
    expect((proposal?.tokens.length ?? 0) + (proposal?.unverified?.tokens.length ?? 0)).toBe(Math.min(most, 6))
  }
  for (const wrong of [{ ngram: 1 }, { columns: 0 }]) expect(() => lookahead(wrong)).toThrow(expect.objectContaining({ code: 'argument' }))
  expect(() => jacobi({ block: 0.5 })).toThrow(expect.objectContaining({ code: 'argument' }))
})
