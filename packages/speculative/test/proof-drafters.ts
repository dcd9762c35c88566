/**
 * The drafters that are proven on real graphs, each made anew for a generation. One more drafter is one more line. Where the clock of a generation stands
 * still, rows cost the budgets next to nothing, however busy the machine is: much is drafted.
 */
import { autoDrafter, type Drafter } from '@foretoken/generation'
import { jacobi, lookahead, ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '../src/index.ts'

const BUDGET = { leastGain: 1, stepTimes: [1, 16].map((rows) => ({ context: 16, rows, stepMs: 10 + rows / 16, samples: 1 })) }

export const PROOF_DRAFTERS: Readonly<Record<string, () => Drafter>> = {
  'prompt lookup': () => promptLookup({ shortest: 1 }),
  'suffix automaton': () => suffixDrafter({ shortest: 1 }),
  'n-gram pool': () => ngramPool(),
  'token recycling': () => tokenRecycling({ keep: true }),
  'token recycling without pairs': () => tokenRecycling({ bigrams: false }),
  lookahead: () => lookahead(),
  jacobi: () => jacobi(),
  auto: () => autoDrafter(BUDGET),
  'all in one tree': () => withBudget([suffixDrafter({ shortest: 1 }), tokenRecycling(), ngramPool(), promptLookup()], BUDGET),
}
