import type { PipelineTokenizer } from '../../src/pipeline.ts'
import { tokenizerFromJson } from '../../src/tokenizer-from-json.ts'

/** Every byte is a token (its id is the byte), and the given special tokens follow from 256. */
export function byteTokenizer(specialTokens: readonly string[]): PipelineTokenizer {
  const vocab = Object.fromEntries(byteCharacters().map((character, byte) => [character, byte]))
  return tokenizerFromJson({
    added_tokens: specialTokens.map((content, index) => ({
      id: 256 + index,
      content,
      special: true,
      normalized: false,
      lstrip: false,
      rstrip: false,
      single_word: false,
    })),
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: { type: 'BPE', vocab, merges: [] },
  })
}

/** The characters that byte-level vocabularies write bytes with: printable ones stand for themselves, the others follow from U+0100. */
function byteCharacters(): string[] {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
    return String.fromCharCode(isPrintable ? byte : next++)
  })
}
