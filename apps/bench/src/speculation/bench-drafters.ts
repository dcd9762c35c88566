/**
 * What is compared, each made once for a run: what it learns about acceptance and the cost of rows helps with the next prompt, and no text is kept, unless
 * the name says so. A further drafter is a further line.
 */
import { autoDrafter, type Drafter, suffixDrafter, withBudget } from '@foretoken/generation'
import { jacobi, lookahead, ngramPool, promptLookup, tokenRecycling } from '@foretoken/speculative'

export interface BenchDrafter {
  readonly name: string
  readonly drafter: Drafter
}

export const AUTO = 'auto'

export function benchDrafters(): readonly BenchDrafter[] {
  return [
    { name: AUTO, drafter: autoDrafter() },
    { name: 'prompt lookup', drafter: withBudget(promptLookup()) },
    { name: 'n-gram pool', drafter: withBudget(ngramPool()) },
    { name: 'token recycling', drafter: withBudget(tokenRecycling({ nodes: 8 })) },
    { name: 'suffix + recycling', drafter: withBudget([suffixDrafter({ shortest: 1 }), tokenRecycling({ nodes: 8 })]) },
    { name: 'suffix + recycling, kept', drafter: withBudget([suffixDrafter({ shortest: 1 }), tokenRecycling({ nodes: 8, keep: true })]) },
    { name: 'lookahead, no budget', drafter: lookahead() },
    { name: 'jacobi', drafter: withBudget(jacobi()) },
    { name: 'suffix, no budget', drafter: suffixDrafter() },
  ]
}
