/**
 * Patterns of widely used tokenizers whose alternatives overlap (`\s*[\r\n]+`, `\s+(?!\S)`, `[…]*[…]+`), so that no simple rule shows
 * them to be harmless. They are: where such an alternative gives up after a long run, a later one consumes that whole run.
 * The tests compare the native engine with the linear matcher on them, and time both on long runs.
 */
const SPACES = String.raw`\s+(?!\S)|\s+`
const TAIL = String.raw`\s*[\r\n]+|${SPACES}`
const POSSESSIVE_TAIL = String.raw` ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|${SPACES}`
const PUNCTUATION = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`
const SLASHED = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const WORD = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
const LEAD = String.raw`[^\r\n\p{L}\p{N}]?`
const ASCII_PUNCTUATION = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]'

/** What `ByteLevel` splits by. */
export const GPT2_PATTERN = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|${SPACES}`

const camelCase = (suffix: string) => `${LEAD}${UPPER}*${LOWER}+${suffix}|${LEAD}${UPPER}+${LOWER}*${suffix}`

/** Patterns that may run in the native engine. */
export const HARMLESS_PATTERNS: ReadonlySet<string> = new Set([
  GPT2_PATTERN,
  // Llama 3, in the spelling of cl100k without possessive repetitions; Qwen 2 to 3.
  `${CONTRACTIONS}|${WORD}|\\p{N}{1,3}|${PUNCTUATION}|${TAIL}`,
  `${CONTRACTIONS}|${WORD}|\\p{N}|${PUNCTUATION}|${TAIL}`,
  // cl100k.
  `'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}|${POSSESSIVE_TAIL}`,
  // o200k and Mistral's Tekken.
  `${camelCase(`${CONTRACTIONS}?`)}|\\p{N}{1,3}|${SLASHED}|${TAIL}`,
  `${camelCase('')}|\\p{N}|${SLASHED}|${TAIL}`,
  // DeepSeek V3.
  `${ASCII_PUNCTUATION}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${TAIL}`,
])
