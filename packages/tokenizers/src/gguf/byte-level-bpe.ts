/** `tokenizer.ggml.model` = `gpt2`: byte-level byte-pair encoding with a list of merges. */
import { addedTokens } from './added-tokens.ts'
import type { ReadTokenizer } from './definition.ts'
import { preTokenizationNamed } from './pre-tokenizers.ts'
import { formatError, type GgufMetadata, textAt, textListAt } from './tokenizer-metadata.ts'
import type { GgufVocabulary } from './vocabulary.ts'

const MERGES = 'tokenizer.ggml.merges'

export function readByteLevelBpe(metadata: GgufMetadata, vocabulary: GgufVocabulary): ReadTokenizer {
  const pre = preTokenizationNamed(textAt(metadata, 'tokenizer.ggml.pre') ?? 'default')
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  const splits = pre.patterns.map((pattern) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }))
  return {
    definition: {
      added_tokens: addedTokens(vocabulary),
      normalizer: pre.normalizer === undefined ? null : { type: pre.normalizer },
      pre_tokenizer: { type: 'Sequence', pretokenizers: [...splits, byteLevel] },
      decoder: byteLevel,
      model: {
        type: 'BPE',
        vocab: vocabulary.ids,
        merges: readMerges(metadata, vocabulary),
        ignore_merges: pre.ignoreMerges ?? false,
      },
    },
    ends: { addsBeginning: pre.addsBeginning ?? false, addsEnd: false },
  }
}

/** `left right`, both tokens, as is what they merge to. The left one may begin with a space. */
function readMerges(metadata: GgufMetadata, { ids }: GgufVocabulary): [string, string][] {
  const lines = textListAt(metadata, MERGES)
  if (lines === undefined) throw formatError(MERGES, undefined, 'a list of merges')
  return lines.map((line, index) => {
    const space = line.indexOf(' ', 1)
    const left = line.slice(0, space)
    const right = line.slice(space + 1)
    if (space < 0 || !ids.has(left) || !ids.has(right) || !ids.has(left + right)) {
      throw formatError(`${MERGES}[${index}]`, line, 'two tokens of the vocabulary that merge to a third')
    }
    return [left, right]
  })
}
