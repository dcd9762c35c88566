import type { CausalLM } from '@foretoken/models'
import { type BeamOptions, checkBeams } from './beam-options.ts'
import { type BeamHypothesis, searchBeams } from './beam-search.ts'
import { checkOptions, SINGLE_OPTION_NAMES, type SingleGenerationOptions } from './generation-options.ts'
import { encodePrompt, type PromptInput } from './prompt.ts'

/**
 * Beam search with all hypotheses: at most `beams.count`, best first. `generate` with `beams` gives the first of them.
 *
 * @throws as `generate`
 */
export async function generateBeams(
  lm: CausalLM,
  options: SingleGenerationOptions & { readonly beams: BeamOptions } & PromptInput,
): Promise<readonly BeamHypothesis[]> {
  const checked = checkOptions(lm, options, SINGLE_OPTION_NAMES)
  const beams = checkBeams(options.beams, checked.sampling.kind === 'greedy')
  const { hypotheses } = await searchBeams(lm, encodePrompt(lm, options), checked, beams, options.cache)
  return hypotheses
}
