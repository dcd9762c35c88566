/**
 * A checkpoint whose head gives logits of some tokens alone: a draft needs no others, and in a small model the head is a fifth of a step. It reads the
 * tokens that it always did.
 */
import { ArgumentError } from '@foretoken/tensor'
import type { Checkpoint } from './checkpoint.ts'

/** @throws {ArgumentError} unless these are ids of the model, ascending, at least one */
export function withHeadTokens(checkpoint: Checkpoint, headTokens: Int32Array): Checkpoint {
  const { description } = checkpoint
  const { vocab } = description.config
  const wrong = headTokens.findIndex((token, i) => token <= (headTokens[i - 1] ?? -1) || token >= vocab)
  if (headTokens.length === 0 || wrong >= 0) {
    const found = headTokens.length === 0 ? 'none' : `${headTokens[wrong]} at ${wrong}, after ${headTokens[wrong - 1] ?? 'nothing'}`
    throw new ArgumentError({ field: 'headTokens', found, expected: `ids below ${vocab}, ascending, at least one` })
  }
  const notes = [
    ...(description.notes ?? []),
    `the head gives logits of ${headTokens.length} tokens of ${vocab}: a draft for the whole model`,
  ]
  return { ...checkpoint, description: { ...description, config: { ...description.config, headTokens: headTokens.slice() }, notes } }
}
