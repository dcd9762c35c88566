/**
 * Drafts that ship with checkpoints: heads for several tokens ahead inside of a model, and heads that are checkpoints of their own.
 * Nothing drafts with them yet. They are recognised so that nobody loses them without a word: those inside are named in the plan,
 * those on their own are refused by what they are.
 */
import type { PassedOverTensors } from '../architectures/architecture.ts'
import type { ConfigReader } from '../config/config-reader.ts'
import { UnsupportedArchitectureError } from '../errors.ts'

/** Tensors of heads inside a whole model. */
export const DRAFT_HEADS: readonly PassedOverTensors[] = [
  {
    names: /^(model\.)?(mtp|nextn)(\.|_)/,
    reason: 'heads that predict several tokens ahead (MTP); speculation does not use them yet',
  },
  { names: /^medusa_heads?\./, reason: 'Medusa heads; speculation does not use them yet' },
]

/** Configurations of heads that need the model they were trained for. */
export function refuseDraftOnly(config: ConfigReader): void {
  const classes = config.isList('architectures') ? (config.strings('architectures') ?? []) : []
  const eagle = classes.find((name) => /eagle/i.test(name))
  const assistant = classes.find((name) => /assistant/i.test(name))
  const kind =
    eagle !== undefined || config.has('draft_vocab_size')
      ? 'an EAGLE head, which drafts from the hidden states of its target'
      : assistant !== undefined
        ? "an assistant, which reads its target's cache"
        : undefined
  if (kind === undefined) return
  throw new UnsupportedArchitectureError({
    file: config.file,
    field: 'architectures',
    found: `${eagle ?? assistant ?? 'a draft vocabulary'}: ${kind}`,
    expected: 'a whole model: open the one that it was made for; such drafts are not used yet',
  })
}
