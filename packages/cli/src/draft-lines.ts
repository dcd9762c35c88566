/** What drafts brought to an output, in words. */
import type { SpeculationStatistics } from '@foretoken/generation'

/** In one line: `drafts of suffix automaton: 31 of 52 accepted, 1.78 tokens per step`. */
export function draftSummary({ drafter, drafted, accepted, steps, draftedSteps, tokensPerStep, draftMs }: SpeculationStatistics): string {
  if (drafted === 0) return `no drafts in ${steps} ${steps === 1 ? 'step' : 'steps'} (${drafter})`
  const share = `${accepted} of ${drafted} accepted`
  return `drafts of ${drafter}: ${share} in ${draftedSteps} of ${steps} steps, ${tokensPerStep.toFixed(2)} tokens per step, drafting ${draftMs.toFixed(1)} ms`
}

/** Why steps were drafted or not, as the drafter says it: `30 drafted, 12 nothing to propose`. Empty where it says nothing. */
export function draftDecisions({ summary }: SpeculationStatistics): string {
  return Object.entries(summary?.decisions ?? {})
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ')
}
