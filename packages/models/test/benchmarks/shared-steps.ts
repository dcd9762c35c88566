/**
 * Eight chats in common steps beside eight one after another: milliseconds for one greedy token of each, and the ratio. Both sides go on from forks of the
 * same prompts, in turn within a round, a few steps each; medians over all rounds, and the least. On a busy machine the processor time of one thread
 * is the number to look at.
 *
 *   FORETOKEN_MODELS=FOLDER node --conditions=foretoken-source packages/models/test/benchmarks/shared-steps.ts [format] [rounds] [threads]
 */
import { join } from 'node:path'
import type { KvCache } from '@foretoken/kv-cache'
import { type CausalLM, loadCausalLM, type StepResult, WEIGHT_FORMATS, type WeightFormat } from '@foretoken/models'

const CHATS = 8
const CONTEXTS = [50, 500]
const STEPS = 6

const [format = 'auto', rounds = '8', threadCount = '2'] = process.argv.slice(2)
const folder = process.env.FORETOKEN_MODELS
if (folder === undefined) throw new Error('found no FORETOKEN_MODELS, expected the folder of smollm2-135m-instruct-q4_1.gguf')
await using lm = await loadCausalLM(join(folder, 'smollm2-135m-instruct-q4_1.gguf'), {
  format: formatOf(format),
  threads: Number(threadCount),
})
const { formats, exact, threads } = lm.plan
process.stdout.write(`${CHATS} chats, ${threads} threads, ${JSON.stringify(formats)}, exact: ${exact}\n`)
for (const context of CONTEXTS) await compare(lm, context)

async function compare(lm: CausalLM, context: number): Promise<void> {
  const prompts: KvCache[] = []
  for (let chat = 0; chat < CHATS; chat++) prompts.push(await prefilled(lm, context - 3 * chat, chat))
  const together: Times = { elapsedMs: [], processorMs: [] }
  const apart: Times = { elapsedMs: [], processorMs: [] }
  for (let round = 0; round < Number(rounds); round++) {
    const tokens = [await timed(prompts, together, stepTogether), await timed(prompts, apart, stepApart)]
    if (tokens[0] !== tokens[1]) throw new Error(`found other tokens together (${tokens[0]}) than apart (${tokens[1]})`)
  }
  for (const measure of ['elapsedMs', 'processorMs'] as const) {
    const [shared, single] = [together[measure], apart[measure]]
    const line = (name: string, of: (values: readonly number[]) => number) =>
      `${name} ${of(shared).toFixed(1)} and ${of(single).toFixed(1)} (${(of(single) / of(shared)).toFixed(2)}x)`
    const least = line('least', (values) => Math.min(...values))
    process.stdout.write(`context ${context}, ${measure} together and one after another: ${line('median', median)}, ${least}\n`)
  }
  for (const cache of prompts) await cache[Symbol.asyncDispose]()
}

interface Times {
  readonly elapsedMs: number[]
  /** Of all threads. */
  readonly processorMs: number[]
}

type Step = (caches: readonly KvCache[], tokens: readonly number[]) => Promise<readonly StepResult[]>

async function stepTogether(caches: readonly KvCache[], tokens: readonly number[]): Promise<readonly StepResult[]> {
  return lm.forwardBatch(caches.map((cache, chat) => stepOf(cache, tokens[chat] ?? 0)))
}

async function stepApart(caches: readonly KvCache[], tokens: readonly number[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  for (const [chat, cache] of caches.entries()) results.push(await lm.forward(stepOf(cache, tokens[chat] ?? 0)))
  return results
}

function stepOf(cache: KvCache, token: number) {
  return { tokens: Int32Array.of(token), cache, want: { logits: 'last' } } as const
}

/** Adds the times of steps to `times`; the first one, which moves rows, is left out. Returns the tokens that were chosen. */
async function timed(prompts: readonly KvCache[], times: Times, step: Step): Promise<string> {
  const caches = prompts.map((cache) => cache.fork())
  let tokens = caches.map((_, chat) => 100 + chat)
  const chosen: number[] = []
  for (let at = 0; at <= STEPS; at++) {
    const start = performance.now()
    const startUsage = process.cpuUsage()
    const results = await step(caches, tokens)
    for (const [chat, { rows }] of results.entries()) caches[chat]?.append(rows)
    tokens = results.map(({ logits }) => greatest(logits?.data ?? new Float32Array(0)))
    const { user, system } = process.cpuUsage(startUsage)
    if (at > 0) {
      times.elapsedMs.push(performance.now() - start)
      times.processorMs.push((user + system) / 1000)
    }
    chosen.push(...tokens)
  }
  for (const cache of caches) await cache[Symbol.asyncDispose]()
  return chosen.join()
}

async function prefilled(lm: CausalLM, length: number, seed: number): Promise<KvCache> {
  const cache = lm.createCache()
  while (cache.length < length) {
    const rows = Math.min(128, length - cache.length, lm.maxSteps(cache))
    const tokens = Int32Array.from({ length: rows }, (_, row) => ((cache.length + row) * 37 + seed * 1001) % lm.config.vocab)
    cache.append((await lm.forward({ tokens, cache, want: {} })).rows)
  }
  return cache
}

function greatest(row: Float32Array): number {
  let best = 0
  for (let at = 1; at < row.length; at++) if ((row[at] ?? 0) > (row[best] ?? 0)) best = at
  return best
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function formatOf(name: string): WeightFormat {
  const found = WEIGHT_FORMATS.find((each) => each === name)
  if (found === undefined) throw new Error(`found ${name}, expected one of ${WEIGHT_FORMATS.join(', ')}`)
  return found
}
