import type { GgufMetadata, GgufMetadataValue } from '../../src/gguf/tokenizer-metadata.ts'

/** The parts of a `tokenizer.json` that the conversion reads. */
interface TokenizerJson {
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[]
  readonly model: {
    readonly type: string
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[]
    readonly merges?: readonly (readonly [string, string] | string)[]
    readonly unk_token?: string | null
  }
  readonly normalizer: { readonly normalizers?: readonly { readonly precompiled_charsmap?: string }[] } | null
}

/**
 * A `tokenizer.json` as the converter of llama.cpp would write it into a GGUF file.
 *
 * The score of a token is minus the rank of the first merge that makes it; a Unigram has its own.
 */
export function ggufMetadataFrom(json: unknown, model: string, more: Readonly<Record<string, GgufMetadataValue>>): GgufMetadata {
  // Fixtures of ours, in the form above.
  const tokenizer = json as TokenizerJson
  const { vocab, merges, unk_token: unknown } = tokenizer.model
  const ranks = new Map<string, number>()
  merges?.forEach((merge, rank) => {
    const token = typeof merge === 'string' ? merge.replace(' ', '') : merge.join('')
    if (!ranks.has(token)) ranks.set(token, rank)
  })
  const entries: [string, number, number][] = isScored(vocab)
    ? vocab.map(([token, score], id) => [token, id, score])
    : Object.entries(vocab).map(([token, id]) => [token, id, -(ranks.get(token) ?? 0)])
  const tokens: string[] = []
  const scores: number[] = []
  const types: number[] = []
  for (const [token, id, score] of entries) {
    tokens[id] = model === 'bert' ? bertToken(token) : token
    scores[id] = score
    types[id] = /^<0x[\dA-F]{2}>$/.test(token) ? 6 : 1
  }
  for (const { id, content, special } of tokenizer.added_tokens) {
    tokens[id] = content
    scores[id] ??= 0
    types[id] = content === unknown ? 2 : special ? 3 : 4
  }
  const map = tokenizer.normalizer?.normalizers?.[0]?.precompiled_charsmap
  return new Map<string, GgufMetadataValue>([
    ['tokenizer.ggml.model', model],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.token_type', types],
    ...(model === 'gpt2' ? [] : [['tokenizer.ggml.scores', scores] as const]),
    ...(model === 'gpt2'
      ? [['tokenizer.ggml.merges', (merges ?? []).map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')))] as const]
      : []),
    ...(map === undefined ? [] : [['tokenizer.ggml.precompiled_charsmap', Array.from(atob(map), (byte) => byte.charCodeAt(0))] as const]),
    ...Object.entries(more).map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const),
  ])
}

function isScored(vocab: TokenizerJson['model']['vocab']): vocab is readonly (readonly [string, number])[] {
  return Array.isArray(vocab)
}

function bertToken(token: string): string {
  if (/^\[.*\]$/.test(token)) return token
  return token.startsWith('##') ? token.slice(2) : `▁${token}`
}
