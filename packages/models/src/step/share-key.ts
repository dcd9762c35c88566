/** Which steps can share a run, as far as the steps themselves say: single rows that want the same, through the same adapters. */
import type { DecodeStep } from '../causal-lm.ts'

/** Equal for steps that can run together; undefined for one that cannot share its run. */
export function shareKeyOf({ tokens, want, adapters }: DecodeStep, hidden: number): string | undefined {
  const isEmbedding = tokens instanceof Float32Array
  if (tokens.length !== (isEmbedding ? hidden : 1) || want.scores !== undefined) return undefined
  if (want.logits instanceof Int32Array && want.logits.length !== 1) return undefined
  const scales = Object.entries(adapters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([isEmbedding, want.logits !== undefined, want.topK ?? 0, want.hidden ?? [], scales])
}
