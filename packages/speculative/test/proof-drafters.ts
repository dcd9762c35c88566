/** The drafters that are proven on real graphs, each made anew for a generation. One more drafter is one more line. */
import { autoDrafter, type Drafter } from '@foretoken/generation'
import { jacobi, lookahead, ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '../src/index.ts'

export const PROOF_DRAFTERS: Readonly<Record<string, () => Drafter>> = {
  'prompt lookup': () => promptLookup({ shortest: 1 }),
  'suffix automaton': () => suffixDrafter({ shortest: 1 }),
  'n-gram pool': () => ngramPool(),
  'token recycling': () => tokenRecycling({ keep: true }),
  'token recycling without pairs': () => tokenRecycling({ bigrams: false }),
  lookahead: () => lookahead(),
  jacobi: () => jacobi(),
  auto: () => autoDrafter(),
  'all in one tree': () => withBudget([suffixDrafter({ shortest: 1 }), tokenRecycling(), ngramPool(), promptLookup()]),
}
