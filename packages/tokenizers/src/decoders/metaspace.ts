import { type Decoder, tokenDecoder } from './decoder.ts'

/** `Metaspace`: visible spaces become spaces; in the first token they vanish when the pre-tokenizer may have put one there. */
export function metaspaceDecoder({ replacement, dropsFirst }: { replacement: string; dropsFirst: boolean }): Decoder {
  return tokenDecoder((token, index) => token.replaceAll(replacement, index === 0 && dropsFirst ? '' : ' '))
}
