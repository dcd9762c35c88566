import { type Fields, fieldsOf, stringField } from './json-fields.ts'
import type { SpecialTokens } from './tokenizer.ts'

/**
 * Which tokens begin, end and pad a text, as `tokenizer_config.json` says. Nothing is guessed from names: without that file, and where
 * it names none, there is none.
 */
export function specialTokensFromConfig(config: Fields | undefined, idOf: (token: string) => number | undefined): SpecialTokens {
  const find = (name: string) => {
    const token = config === undefined ? undefined : tokenOf(config, name)
    return token === undefined ? undefined : idOf(token)
  }
  const ids = { beginningOfText: find('bos_token'), padding: find('pad_token'), unknown: find('unk_token') }
  const end = find('eos_token')
  return {
    endOfText: end === undefined ? [] : [end],
    ...(ids.beginningOfText === undefined ? {} : { beginningOfText: ids.beginningOfText }),
    ...(ids.padding === undefined ? {} : { padding: ids.padding }),
    ...(ids.unknown === undefined ? {} : { unknown: ids.unknown }),
  }
}

/** A token is given as its text or as an object with `content`. */
function tokenOf(config: Fields, name: string): string | undefined {
  const value = config.values.get(name)
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : stringField(fieldsOf(value, name), 'content')
}
