import { WeightsFormatError } from '../errors.ts'
import type { MetadataValue } from '../weight-store.ts'

const MAX_BLOCKS = 10_000

/** What every GGUF of a model says about itself. */
export interface GgufModelFacts {
  /** `general.architecture`, the prefix of the model's keys. */
  readonly architecture: string
  /** Layers of the model. */
  readonly blockCount: number
}

/**
 * Checks what must hold in the metadata of any model, whatever its architecture: it names one, the number of its layers is sensible, and the lists of the
 * vocabulary have one entry per token.
 *
 * @throws {WeightsFormatError} that names the key
 */
export function checkGgufModel(metadata: ReadonlyMap<string, MetadataValue>, file: string): GgufModelFacts {
  const architecture = metadata.get('general.architecture')
  if (typeof architecture !== 'string' || architecture === '') {
    throw new WeightsFormatError({ file, field: 'general.architecture', found: 'no text', expected: 'the name of an architecture' })
  }
  const key = `${architecture}.block_count`
  const blocks = metadata.get(key)
  if (typeof blocks !== 'number' || !Number.isInteger(blocks) || blocks < 1 || blocks > MAX_BLOCKS) {
    throw new WeightsFormatError({
      file,
      field: key,
      found: String(blocks ?? 'nothing').slice(0, 100),
      expected: `a whole number from 1 to ${MAX_BLOCKS}`,
    })
  }
  checkVocabulary(metadata, file)
  return { architecture, blockCount: blocks }
}

function checkVocabulary(metadata: ReadonlyMap<string, MetadataValue>, file: string): void {
  const tokens = metadata.get('tokenizer.ggml.tokens')
  if (tokens === undefined) return
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === 'string')) {
    throw new WeightsFormatError({
      file,
      field: 'tokenizer.ggml.tokens',
      found: 'something else than a list of texts',
      expected: 'a list of texts',
    })
  }
  for (const key of ['tokenizer.ggml.scores', 'tokenizer.ggml.token_type']) {
    const values = metadata.get(key)
    if (values === undefined || (Array.isArray(values) && values.length === tokens.length)) continue
    const found = Array.isArray(values) ? `${values.length} entries` : 'no list'
    throw new WeightsFormatError({ file, field: key, found, expected: `one entry for each of the ${tokens.length} tokens` })
  }
}
