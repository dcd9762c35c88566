/** The plan of an open model in words: what runs where, in which format, and how long steps take. */
import type { Plan, StepTime } from '@foretoken/models'

/** Label and text of each line. */
export function planLines({ runtime, provider, threads, formats, exact, stepTimes = [] }: Plan): string[][] {
  return [
    ['runs on', `${runtime}, ${provider}, ${threads} threads`],
    ...Object.entries(formats).map(([role, format]) => [`format of ${role}`, format]),
    ['rows exact', exact ? 'yes: the same bits alone and together, tried at load' : 'no'],
    [
      'drafts',
      exact ? 'what followed the longest match, verified where that pays' : 'none, unless asked for: rows of a step are not exact',
    ],
    ...stepTimeLines(stepTimes),
  ]
}

/** One line for each length of context: `1: 9.8  2: 10.4 ms`. */
export function stepTimeLines(stepTimes: readonly StepTime[]): string[][] {
  const contexts = [...new Set(stepTimes.map(({ context }) => context))]
  return contexts.map((context) => {
    const times = stepTimes.filter((time) => time.context === context)
    return [
      `step at ${context} tokens`,
      `${times.map(({ rows, stepMs }) => `${rows === 1 ? '1 row' : rows}: ${stepMs.toFixed(1)}`).join(', ')} ms`,
    ]
  })
}

/** In one line: `int8-rows, 2 threads, exact rows`. The formats are those of the weights. */
export function planSummary({ formats, threads, exact }: Plan): string {
  const ofWeights = Object.entries(formats).flatMap(([role, format]) => (role === 'cache' ? [] : [format]))
  return `${[...new Set(ofWeights)].join(', ')}, ${threads} threads, ${exact ? 'exact' : 'not exact'} rows`
}
