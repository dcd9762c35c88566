/** A model that knows a text by heart: in whatever tokens, it goes on with it from where it is, and with anything where it never was. */
import type { Tokenizer } from '@foretoken/tokenizers'
import { type HashModel, hashModel } from './hash-model.ts'

/** @param wanders  knows another token in every so many places */
export function scriptModel(tokenizer: Tokenizer, script: string, { wanders = 0, maxPositions = 4096 } = {}): HashModel {
  const vocab = tokenizer.vocabularySize
  const whole = tokenizer.encode(script, { addSpecialTokens: false })
  const nextOf = (context: readonly number[]): number => {
    if (context.every((id, i) => whole[i] === id) && context.length < whole.length) {
      const isLost = wanders > 0 && context.length % wanders === wanders - 1
      return isLost ? (context.at(-1) ?? 0) : (whole[context.length] ?? 0)
    }
    const text = tokenizer.decode(context, { skipSpecialTokens: true })
    const rest = script.startsWith(text) ? script.slice(text.length) : script.slice(context.length % script.length)
    return tokenizer.encode(rest, { addSpecialTokens: false })[0] ?? 0
  }
  const model = hashModel({
    vocab,
    tokenizer,
    logits(context) {
      const row = new Array<number>(vocab).fill(0)
      row[nextOf(context)] = 20
      return row
    },
  })
  return { ...model, config: { ...model.config, maxPositions } }
}
