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
