/** The ratios that we want to reach with SmolLM2-135M on two threads, in Node and in a page, as a table that the report is held against. */
import type { MeasureName } from './measure.ts'

export interface Aim {
  readonly measure: MeasureName
  /** Absent: at any length. */
  readonly context?: number
  readonly peer: string
  /** At least. */
  readonly ratio: number
}

const LLAMA = 'node-llama-cpp Q4_1'
const LLAMA_FASTEST = 'node-llama-cpp, fastest format'
const TRANSFORMERS = 'transformers.js, best'
const WEB_TRANSFORMERS = 'transformers.js wasm q8'
const WEB_WLLAMA = 'wllama, best'

const AIMS: readonly Aim[] = [
  { measure: 'decode', context: 16, peer: LLAMA, ratio: 1 },
  { measure: 'decode', context: 512, peer: LLAMA, ratio: 1.05 },
  { measure: 'decode', context: 2048, peer: LLAMA, ratio: 1.15 },
  { measure: 'prefill', context: 512, peer: LLAMA, ratio: 3 },
  { measure: 'prefill', context: 2048, peer: LLAMA, ratio: 2.2 },
  { measure: 'first token', peer: LLAMA, ratio: 1 / 1.2 },
  { measure: 'peak memory', peer: LLAMA, ratio: 1 / 1.3 },
  { measure: 'perplexity', peer: LLAMA, ratio: 1 },
  { measure: 'decode', peer: LLAMA_FASTEST, ratio: 1 },
  { measure: 'prefill', peer: LLAMA_FASTEST, ratio: 1 },
  { measure: 'first token', peer: LLAMA_FASTEST, ratio: 1 },
  { measure: 'peak memory', peer: LLAMA_FASTEST, ratio: 1 },
  { measure: 'perplexity', peer: LLAMA_FASTEST, ratio: 1 },
  { measure: 'decode', context: 16, peer: TRANSFORMERS, ratio: 1.1 },
  { measure: 'decode', context: 512, peer: TRANSFORMERS, ratio: 2 },
  { measure: 'decode', context: 2048, peer: TRANSFORMERS, ratio: 3.5 },
  { measure: 'prefill', context: 512, peer: TRANSFORMERS, ratio: 1.2 },
  { measure: 'prefill', context: 2048, peer: TRANSFORMERS, ratio: 1.1 },
  { measure: 'first token', peer: TRANSFORMERS, ratio: 1 },
  { measure: 'peak memory', peer: TRANSFORMERS, ratio: 1 / 0.8 },
  { measure: 'perplexity', peer: TRANSFORMERS, ratio: 1 },
  { measure: 'decode', context: 16, peer: WEB_TRANSFORMERS, ratio: 1.4 },
  { measure: 'decode', context: 512, peer: WEB_TRANSFORMERS, ratio: 2 },
  { measure: 'decode', context: 2048, peer: WEB_TRANSFORMERS, ratio: 3 },
  { measure: 'decode', context: 16, peer: WEB_WLLAMA, ratio: 2 },
  { measure: 'decode', context: 512, peer: WEB_WLLAMA, ratio: 1.8 },
  { measure: 'decode', context: 2048, peer: WEB_WLLAMA, ratio: 1.4 },
  { measure: 'prefill', context: 512, peer: WEB_WLLAMA, ratio: 8 },
]

export function aimFor(measure: MeasureName, context: number, peer: string): Aim | undefined {
  return AIMS.find((aim) => aim.measure === measure && aim.peer === peer && (aim.context ?? context) === context)
}
