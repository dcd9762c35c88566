/** How many experts a row goes to, checked against how many there are. */
import type { ConfigReader } from './config-reader.ts'

export function readExpertsPerRow(config: ConfigReader, experts: number, fallback: number): number {
  const perRow = config.count('num_experts_per_tok', fallback)
  return perRow <= experts
    ? perRow
    : config.refuse('num_experts_per_tok', `${perRow} of ${experts} experts`, 'at most as many as there are')
}
