/** Which drafter runs ahead. It changes how long an output takes and never the output. */
import type { Drafter, SingleGenerationOptions } from '@foretoken/generation'
import { ngramPool, promptLookup, suffixDrafter, tokenRecycling, withBudget } from '@foretoken/speculative'
import { type Command, Option } from 'commander'

export interface SpeculationFlags {
  /** False after --no-speculate. */
  readonly speculate?: string | false
}

/** Each with a budget, so that none makes an output slower for long. */
const DRAFTERS: ReadonlyMap<string, () => Drafter> = new Map([
  ['suffix', () => withBudget(suffixDrafter())],
  ['lookup', () => withBudget(promptLookup())],
  ['ngrams', () => withBudget(ngramPool())],
  ['recycling', () => withBudget(tokenRecycling())],
])

export function addSpeculationOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--speculate <drafter>',
        'who drafts tokens that a step verifies together; the output stays the same (default: auto)',
      ).choices(['auto', ...DRAFTERS.keys()]),
    )
    .option('--no-speculate', 'one token per step')
}

export function speculationOptions({ speculate }: SpeculationFlags): Pick<SingleGenerationOptions, 'speculate'> {
  if (speculate === false) return { speculate: 'off' }
  const drafter = DRAFTERS.get(speculate ?? 'auto')
  return drafter === undefined ? {} : { speculate: drafter() }
}
