/** What is measured: name, unit, and which direction is good. The order is that of the report. */
export interface Measure {
  readonly name: MeasureName
  readonly unit: string
  readonly isHigherBetter: boolean
  readonly meaning: string
}

export type MeasureName =
  | 'decode'
  | 'prefill'
  | 'first token'
  | 'ready'
  | 'load from cache'
  | 'peak memory'
  | 'memory after loading'
  | 'perplexity'

export const MEASURES: readonly Measure[] = [
  { name: 'decode', unit: 'ms/token', isHigherBetter: false, meaning: 'from one token to the next, after a prompt of so many tokens' },
  { name: 'prefill', unit: 'tokens/s', isHigherBetter: true, meaning: 'tokens of the prompt by the time to the first new token' },
  { name: 'first token', unit: 'ms', isHigherBetter: false, meaning: 'from the start of the process to the first token after the prompt' },
  { name: 'ready', unit: 'ms', isHigherBetter: false, meaning: 'from the start of the process to the open model' },
  {
    name: 'load from cache',
    unit: 'ms',
    isHigherBetter: false,
    meaning: 'from the start of the page to the open model, files in its cache',
  },
  { name: 'peak memory', unit: 'MB', isHigherBetter: false, meaning: 'greatest resident memory up to the end of that prompt' },
  { name: 'memory after loading', unit: 'MB', isHigherBetter: false, meaning: "resident memory of the page's process with the open model" },
  { name: 'perplexity', unit: '', isHigherBetter: false, meaning: 'of a fixed text: the quality that the speed is bought with' },
]

/** How many times better ours is: above 1 we are ahead. */
export function ratioOf({ isHigherBetter }: Measure, ours: number, theirs: number): number {
  return isHigherBetter ? ours / theirs : theirs / ours
}
