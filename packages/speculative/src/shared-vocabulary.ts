/** Whether two models mean the same by an id. Tables of embeddings are often padded beyond the tokens, each to another size, so sizes may differ. */
import type { CausalLM } from '@foretoken/models'
import { VocabularyError } from './errors.ts'

const agreeing = new WeakMap<CausalLM, WeakSet<CausalLM>>()

/**
 * The number of ids, from 0 on, that both models know and mean the same by.
 *
 * @throws {VocabularyError} when a token differs, or tokenizers are missing and the sizes differ
 */
export function sharedVocabulary(target: CausalLM, draft: CausalLM): number {
  const ids = Math.min(target.config.vocab, draft.config.vocab)
  if (target === draft || agreeing.get(target)?.has(draft)) return ids
  compareTokens(target, draft, ids)
  const known = agreeing.get(target) ?? new WeakSet()
  agreeing.set(target, known.add(draft))
  return ids
}

function compareTokens(target: CausalLM, draft: CausalLM, ids: number): void {
  const [own, other] = [target.tokenizer, draft.tokenizer]
  if (own === undefined || other === undefined) {
    if (target.config.vocab === draft.config.vocab) return
    const found = `${draft.config.vocab} tokens, and no tokenizers to compare`
    throw new VocabularyError({ field: 'draft model', found, expected: `${target.config.vocab}, as the model has` })
  }
  for (let id = 0; id < ids; id++) {
    const [token, drafted] = [own.tokenOf(id), other.tokenOf(id)]
    if (token === drafted) continue
    throw new VocabularyError({
      field: `draft model, token ${id}`,
      found: JSON.stringify(drafted) ?? 'no token',
      expected: `${JSON.stringify(token) ?? 'no token'}, as the model has; a draft of another tokenizer is for bridgedDraftModel`,
    })
  }
}
