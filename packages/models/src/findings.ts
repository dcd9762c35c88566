/**
 * What is tried out when a model is opened: whether its rows are the same bits alone and together, and how long its steps take. Both depend on the
 * graph, the runtime, the processor and the threads, and on nothing else, so the findings of an earlier start are kept beside the
 * converted weights, in one small file that names all of them. A file that says something else, or nothing that can be read, is written anew.
 */
import type { CausalLM } from './causal-lm.ts'
import { type SelfTest, type SelfTestOptions, selfTest } from './self-test.ts'
import { measureStepTimes, type StepTime, wereDisturbed } from './step-times.ts'
import type { KeptTexts } from './stored-model.ts'

/** Part of what the file names: raise it when steps are made or tried in another way while graphs stay the same. */
const FINDINGS_VERSION = 1

export interface Findings {
  /** Absent when it was not tried. */
  readonly selfTest?: SelfTest
  readonly stepTimes?: readonly StepTime[]
}

export interface FindOutOptions {
  /** Where findings are kept; nothing is kept without it. */
  readonly kept?: KeptTexts
  /** Runtime and processor; without it nothing can be kept. */
  readonly machine?: string
  readonly threads: number
  /** What is wanted: undefined where it is not. */
  readonly selfTest?: SelfTestOptions
  /** Milliseconds to spend on step times. */
  readonly stepTimesBudgetMs?: number
  readonly signal?: AbortSignal
}

/** Reads what is kept, tries what is missing, and keeps it. */
export async function findOut(lm: CausalLM, { kept, machine, threads, signal, ...wanted }: FindOutOptions): Promise<Findings> {
  const name = `findings-${threads}-threads.json`
  const key = machine === undefined ? undefined : `${FINDINGS_VERSION} ${machine}, ${threads} threads`
  const known = key === undefined ? {} : parseFindings(await kept?.read(name), key)
  const options = signal === undefined ? {} : { signal }
  const { stepTimesBudgetMs: budgetMs } = wanted
  const tested = known.selfTest ?? (wanted.selfTest && (await selfTest(lm, { ...wanted.selfTest, ...options })))
  const stepTimes = known.stepTimes ?? (budgetMs === undefined ? undefined : await measureStepTimes(lm, { budgetMs, ...options }))
  // times of a busy machine serve this start, and the next one measures again
  const isWorthKeeping = stepTimes !== undefined && !wereDisturbed(stepTimes)
  const found = { ...(tested && { selfTest: tested }), ...(isWorthKeeping && { stepTimes }) }
  if (key !== undefined && (tested !== known.selfTest || (isWorthKeeping && stepTimes !== known.stepTimes))) {
    await kept?.write(name, `${JSON.stringify({ key, ...found }, null, 2)}\n`)
  }
  return { ...(wanted.selfTest && tested && { selfTest: tested }), ...(stepTimes && { stepTimes }) }
}

/** @returns  nothing for a text that is damaged, or of another machine or version */
function parseFindings(text: string | undefined, key: string): Findings {
  const file = parsed(text)
  if (!isRecord(file) || file.key !== key) return {}
  const tested = file.selfTest
  const isTested = isRecord(tested) && typeof tested.exact === 'boolean' && (tested.note === undefined || typeof tested.note === 'string')
  const stepTimes = Array.isArray(file.stepTimes) ? file.stepTimes.flatMap(parseStepTime) : undefined
  return {
    ...(isTested && { selfTest: { exact: tested.exact === true, ...(typeof tested.note === 'string' && { note: tested.note }) } }),
    ...(stepTimes && stepTimes.length > 0 && { stepTimes }),
  }
}

function parseStepTime(value: unknown): StepTime[] {
  if (!isRecord(value)) return []
  const { context, rows, stepMs, samples } = value
  return isPositive(rows) && isPositive(stepMs) && isPositive(samples) && (context === 0 || isPositive(context))
    ? [{ context, rows, stepMs, samples }]
    : []
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
