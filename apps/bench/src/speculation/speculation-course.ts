/**
 * The course of a run: for each prompt every side once per round, one after the other, plain decoding first and last. A round gives each drafter a ratio to
 * the plain ones beside it, so what changes from round to round touches no ratio; the median of the rounds is the row.
 */
import { type Drafter, generateText, type SpeculationStatistics } from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { median } from '../report/statistics.ts'
import type { BenchDrafter } from './bench-drafters.ts'
import type { BenchPrompt } from './bench-prompts.ts'
import type { LlamaLookup, LookupRun } from './llama-lookup.ts'
import { repeatedShare } from './repeated-ngrams.ts'
import type { SpeculationRow } from './speculation-rows.ts'

export interface SpeculationCourse {
  readonly lm: CausalLM
  readonly drafters: readonly BenchDrafter[]
  readonly prompts: readonly BenchPrompt[]
  readonly temperatures: readonly number[]
  readonly rounds: number
  readonly newTokens: number
  readonly lookup: LlamaLookup | undefined
  readonly say: (line: string) => void
  /** Goes around each generation; a way to keep the machine quiet meanwhile. */
  readonly around?: <T>(run: () => Promise<T>) => Promise<T>
}

export const LOOKUP = 'node-llama-cpp lookup'
const TOP_P = 0.9
const SEED = 1

interface Timed {
  readonly ids: readonly number[]
  readonly decodeMs: number
  readonly processorMs: number
  readonly speculation?: SpeculationStatistics
}

export async function runSpeculation(course: SpeculationCourse): Promise<SpeculationRow[]> {
  const rows: SpeculationRow[] = []
  for (const temperature of course.temperatures) {
    for (const prompt of course.prompts) {
      course.say(`${prompt.kind}, temperature ${temperature}`)
      rows.push(...(await measurePrompt(course, prompt, temperature)))
    }
  }
  return rows
}

async function measurePrompt(course: SpeculationCourse, prompt: BenchPrompt, temperature: number): Promise<SpeculationRow[]> {
  const { drafters, rounds, lookup } = course
  const around = course.around ?? ((run) => run())
  const measured = new Map<
    string,
    { readonly runs: Timed[]; readonly ratios: number[]; readonly processorRatios: number[]; identical: boolean }
  >()
  for (const { name } of drafters) measured.set(name, { runs: [], ratios: [], processorRatios: [], identical: true })
  let output: readonly number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = await around(() => generateTimed(course, prompt, temperature, 'off'))
    const runs: [string, Timed][] = []
    for (const { name, drafter } of drafters) runs.push([name, await around(() => generateTimed(course, prompt, temperature, drafter))])
    const after = await around(() => generateTimed(course, prompt, temperature, 'off'))
    output = before.ids
    for (const [name, run] of runs) {
      const each = measured.get(name)
      each?.runs.push(run)
      each?.ratios.push((before.decodeMs + after.decodeMs) / 2 / run.decodeMs)
      each?.processorRatios.push((before.processorMs + after.processorMs) / 2 / run.processorMs)
      if (each !== undefined && run.ids.join() !== output.join()) each.identical = false
    }
  }
  const rows = [...measured].map(([drafter, { runs, ratios, processorRatios, identical }]): SpeculationRow => {
    const { speculation } = runs.at(-1) ?? {}
    const {
      tokensPerStep = 1,
      drafted = 0,
      accepted = 0,
      draftMs = 0,
      steps = 1,
      acceptedByDepth = [],
      testedByDepth = [],
    } = speculation ?? {}
    return {
      drafter,
      prompt: prompt.kind,
      temperature,
      tokensPerStep,
      ratio: median(ratios),
      processorRatio: median(processorRatios),
      identical,
      acceptance: drafted === 0 ? 0 : accepted / drafted,
      repeated: repeatedShare(output),
      newTokens: output.length,
      draftMs: draftMs / Math.max(1, steps),
      acceptedByDepth,
      testedByDepth,
      tokensByStep: speculation?.tokensByStep ?? [],
      ...(speculation?.summary === undefined ? {} : { summary: speculation.summary }),
    }
  })
  return lookup === undefined || temperature > 0 ? rows : [...rows, await measureLookup(course, lookup, prompt, around)]
}

async function generateTimed(
  { lm, newTokens }: SpeculationCourse,
  { content }: BenchPrompt,
  temperature: number,
  speculate: Drafter | 'off',
): Promise<Timed> {
  const processorBefore = { value: process.cpuUsage() }
  const { ids, statistics } = await generateText(lm, {
    messages: [{ role: 'user', content }],
    maxNewTokens: newTokens,
    sampling: { kind: 'sample', temperature, topP: TOP_P, seed: SEED },
    speculate,
    onPrefill: () => {
      processorBefore.value = process.cpuUsage()
    },
  })
  const { user, system } = process.cpuUsage(processorBefore.value)
  const { decodeMs, speculation } = statistics
  return { ids, decodeMs, processorMs: (user + system) / 1000, ...(speculation === undefined ? {} : { speculation }) }
}

async function measureLookup(
  { lm, rounds, newTokens }: SpeculationCourse,
  lookup: LlamaLookup,
  { kind, content }: BenchPrompt,
  around: NonNullable<SpeculationCourse['around']>,
): Promise<SpeculationRow> {
  const prompt = lm.tokenizer?.chatTemplate?.encode([{ role: 'user', content }], { addGenerationPrompt: true }) ?? []
  const ratios: number[] = []
  const processorRatios: number[] = []
  let identical = true
  let last: LookupRun = { ids: [], decodeMs: 0, processorMs: 0, accepted: 0 }
  for (let round = 0; round < rounds; round++) {
    const plain = await around(() => lookup.generate([...prompt], newTokens, false))
    last = await around(() => lookup.generate([...prompt], newTokens, true))
    ratios.push(plain.decodeMs / last.decodeMs)
    processorRatios.push(plain.processorMs / last.processorMs)
    if (plain.ids.join() !== last.ids.join()) identical = false
  }
  const tokens = last.ids.length - 1
  return {
    drafter: LOOKUP,
    prompt: kind,
    temperature: 0,
    tokensPerStep: tokens / Math.max(1, tokens - last.accepted),
    ratio: median(ratios),
    processorRatio: median(processorRatios),
    identical,
    acceptance: Number.NaN,
    repeated: repeatedShare(last.ids),
    newTokens: last.ids.length,
    draftMs: Number.NaN,
    acceptedByDepth: [],
    testedByDepth: [],
    tokensByStep: [],
  }
}
