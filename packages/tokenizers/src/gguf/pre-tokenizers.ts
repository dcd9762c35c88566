/**
 * How text is cut before byte-pair merging, by the names that `tokenizer.ggml.pre` uses (they are those of llama.cpp).
 *
 * The patterns are those of the models' own tokenizer files; each is applied to what the one before it has left, and what it finds
 * stands alone. Qwen and Cohere also normalise to NFC, as their own files do.
 */
import { UnsupportedTokenizerError } from '../errors.ts'
import { GPT2_PATTERN } from '../patterns/known-patterns.ts'

export interface PreTokenization {
  /** Regular expressions in their order. */
  readonly patterns: readonly string[]
  readonly normalizer?: 'NFC'
  /** Whether a piece that is a token as a whole is taken as it is. */
  readonly ignoreMerges?: boolean
  /** Whether a beginning-of-text token is added where the file does not say. */
  readonly addsBeginning?: boolean
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const LEAD = '[^\\r\\n\\p{L}\\p{N}]?'

/** The pattern of GPT-4 and its followers, which differ in how many digits stay together. */
function gpt4(digits: string): string {
  return `${CONTRACTIONS}|${LEAD}\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`
}

/** Words cut where a capital follows a small letter. */
function cased(suffix: string, digits: string): string {
  return `${LEAD}${UPPER}*${LOWER}+${suffix}|${LEAD}${UPPER}+${LOWER}*${suffix}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`
}

/** Letters that have case, as far as DeepSeek's first tokenizer lists them; escaped, since some change when a text is normalised. */
const DEEPSEEK_LETTERS =
  '\u0041-\u005a\u0061-\u007a\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af' +
  '\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481' +
  '\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77' +
  '\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d' +
  '\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4' +
  '\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f' +
  '\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b' +
  '\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a' +
  '\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}' +
  '\u{1e900}-\u{1e943}'

const CJK = '[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+'
const HAN_AND_KANA = '[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+'
const DEEPSEEK_PUNCTUATION = '\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+'
/** All but space and the stops of several scripts. */
const BLOOM = ' ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+'

const GPT2: PreTokenization = { patterns: [GPT2_PATTERN] }
const NEOX: PreTokenization = { ...GPT2, normalizer: 'NFC' }
const SINGLE_DIGITS: PreTokenization = { patterns: ['\\p{N}', GPT2_PATTERN] }
const LLAMA3: PreTokenization = { patterns: [gpt4('\\p{N}{1,3}')], ignoreMerges: true, addsBeginning: true }
const THREE_DIGITS: PreTokenization = { patterns: [gpt4('\\p{N}{1,3}')] }
const QWEN: PreTokenization = { patterns: [gpt4('\\p{N}')], normalizer: 'NFC' }
const STABLELM2: PreTokenization = { patterns: [gpt4('\\p{N}')] }
const O200K: PreTokenization = { patterns: [cased(`${CONTRACTIONS}?`, '\\p{N}{1,3}')], ignoreMerges: true }
const DEEPSEEK_V3: PreTokenization = {
  patterns: [
    '\\p{N}{1,3}',
    HAN_AND_KANA,
    `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${SPACES}`,
  ],
}

const PRE_TOKENIZATIONS: ReadonlyMap<string, PreTokenization> = new Map([
  ...each(GPT2, 'gpt-2', 'phi-2', 'jina-es', 'jina-de', 'jina-v2-es', 'jina-v2-de', 'jina-v1-en', 'jina-v2-code', 'roberta-bpe'),
  ...each(GPT2, 'modern-bert', 'exaone4', 'jais', 'trillion', 'granite-docling', 'gigachat', 'a.x-4.0', 'mellum'),
  ...each(NEOX, 'mpt', 'olmo'),
  ...each(SINGLE_DIGITS, 'smollm', 'starcoder', 'refact', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'),
  ...each({ ...SINGLE_DIGITS, normalizer: 'NFC' }, 'command-r'),
  ...each(LLAMA3, 'llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2', 'jina-v5-nano'),
  ...each(THREE_DIGITS, 'dbrx', 'smaug-bpe', 'glm4', 'chatglm-bpe'),
  ...each(QWEN, 'qwen2', 'deepseek-r1-qwen', 'megrez'),
  ...each(STABLELM2, 'stablelm2', 'hunyuan', 'solar-open', 'grok-2', 'kormo', 'f2llmv2'),
  ...each(
    { patterns: [`${CONTRACTIONS}|${LEAD}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${SPACES}`], normalizer: 'NFC' },
    'qwen35',
  ),
  ...each(O200K, 'gpt-4o', 'llama4', 'kanana2', 'minimax-m2'),
  ...each({ patterns: [cased('', '\\p{N}')], ignoreMerges: true, addsBeginning: true }, 'tekken'),
  ...each(DEEPSEEK_V3, 'deepseek-v3', 'hunyuan-dense', 'joyai-llm'),
  ...each({ patterns: ['[\\r\\n]', `\\s?[${DEEPSEEK_LETTERS}]+`, DEEPSEEK_PUNCTUATION, '\\s+$', CJK, '\\p{N}+'] }, 'deepseek-llm'),
  ...each({ patterns: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', CJK, '\\p{N}'] }, 'deepseek-coder'),
  ...each({ patterns: ['[\\p{P}\\$\\+<=>\\^~\\|`]+', GPT2_PATTERN, '[0-9][0-9][0-9]'] }, 'falcon'),
  ...each({ patterns: [BLOOM] }, 'bloom', 'poro-chat', 'gpt3-finnish'),
  ...each({ patterns: [BLOOM, '\\p{N}'] }, 'viking'),
  ...each({ patterns: [`${CONTRACTIONS}|${LEAD}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${SPACES}`] }, 'seed-coder'),
  ...each({ patterns: ['[\\p{P}\\$\\+<=>\\^~\\|]+', GPT2_PATTERN, '\\p{N}+', '[0-9][0-9][0-9]'] }, 'default'),
])

function each(preTokenization: PreTokenization, ...names: readonly string[]): [string, PreTokenization][] {
  return names.map((name) => [name, preTokenization])
}

/** @throws {UnsupportedTokenizerError} for a name that is not known: another cut would give other tokens without a sign of it */
export function preTokenizationNamed(name: string): PreTokenization {
  const found = PRE_TOKENIZATIONS.get(name)
  if (found !== undefined) return found
  const expected = `one of ${knownPreTokenizations().join(', ')}`
  throw new UnsupportedTokenizerError({ field: 'tokenizer.ggml.pre', found: JSON.stringify(name), expected })
}

/** The names in alphabetical order. */
export function knownPreTokenizations(): string[] {
  return [...PRE_TOKENIZATIONS.keys()].sort()
}
