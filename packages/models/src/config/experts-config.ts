/** Numbers of experts as configurations state them, checked against each other. */
import type { ConfigReader } from './config-reader.ts'

/** How many experts a row goes to. */
export function readExpertsPerRow(config: ConfigReader, experts: number, fallback: number): number {
  const perRow = config.count('num_experts_per_tok', fallback)
  return perRow <= experts
    ? perRow
    : config.refuse('num_experts_per_tok', `${perRow} of ${experts} experts`, 'at most as many as there are')
}

/** Which layers are mixtures in the Qwen families: every `decoder_sparse_step`-th one that is not among `mlp_only_layers`. */
export function readSparseLayers(config: ConfigReader, layers: number): readonly boolean[] {
  const step = config.count('decoder_sparse_step', 1)
  const dense = new Set(config.has('mlp_only_layers') ? config.numbers('mlp_only_layers') : [])
  return Array.from({ length: layers }, (_, layer) => !dense.has(layer) && (layer + 1) % step === 0)
}

/** Groups of experts (`n_group`), and in how many of them a row chooses (`topk_group`). */
export function readGroups(
  config: ConfigReader,
  experts: number,
  defaults: { readonly groups: number; readonly groupsPerRow: number },
): { readonly groups: number; readonly groupsPerRow: number } {
  const groups = config.count('n_group', defaults.groups)
  const groupsPerRow = config.count('topk_group', defaults.groupsPerRow)
  if (groupsPerRow > groups) config.refuse('topk_group', `${groupsPerRow} of ${groups} groups`, 'at most as many as there are')
  if (groupsPerRow < groups && (experts % groups !== 0 || experts / groups < 2)) {
    config.refuse('n_group', `${groups} groups of ${experts} experts`, 'equal groups of at least two experts')
  }
  return { groups, groupsPerRow }
}
