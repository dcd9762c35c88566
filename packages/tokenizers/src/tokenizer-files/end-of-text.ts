import { countOf } from '../json-fields.ts'
import { parseJsonFile } from './json-file.ts'
import type { TokenizerFolder } from './tokenizer-folder.ts'

/** The ids that end a text by `generation_config.json` or, where that says nothing, `config.json`. */
export async function endOfTextIds(folder: TokenizerFolder): Promise<number[]> {
  for (const file of ['generation_config.json', 'config.json']) {
    const source = await folder.read(file)
    if (source === undefined) continue
    const config = parseJsonFile(source, file)
    if (typeof config !== 'object' || config === null || !('eos_token_id' in config)) continue
    const ids = config.eos_token_id
    if (ids === null || ids === undefined) continue
    return (Array.isArray(ids) ? ids : [ids]).map((id: unknown) => countOf(id, `${file}: eos_token_id`))
  }
  return []
}
