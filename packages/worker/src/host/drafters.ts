/** Drafters made from their names. Equal choices share one, so that what it has learned about this machine is kept. */
import type { Drafter } from '@foretoken/generation'
import { ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '@foretoken/speculative'
import { ArgumentError } from '@foretoken/tensor'
import type { DrafterChoice, SpeculationChoice } from '../speculation-choice.ts'

export class Drafters {
  readonly #made = new Map<string, Drafter>()

  /** @throws {ArgumentError} for a name that is not known, and what the drafter throws for its options */
  of(choice: SpeculationChoice): 'auto' | 'off' | Drafter {
    if (choice === 'auto' || choice === 'off') return choice
    const key = JSON.stringify(Object.entries(choice).sort())
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const { budget } = choice
    const drafter = budget === false ? drafterOf(choice) : withBudget(drafterOf(choice), budget)
    this.#made.set(key, drafter)
    return drafter
  }
}

function drafterOf({ budget: _, ...choice }: DrafterChoice): Drafter {
  switch (choice.drafter) {
    case 'prompt-lookup':
      return promptLookup(choice)
    case 'suffix':
      return suffixDrafter(choice)
    case 'ngram-pool':
      return ngramPool(choice)
    case 'token-recycling':
      return tokenRecycling(choice)
    default:
      return unknownDrafter(choice)
  }
}

function unknownDrafter(choice: unknown): never {
  const expected = "'auto', 'off', or { drafter: 'prompt-lookup' | 'suffix' | 'ngram-pool' | 'token-recycling', … }"
  throw new ArgumentError({ field: 'speculate', found: JSON.stringify(choice) ?? String(choice), expected })
}
