/**
 * A tokenizer from the files of a model, with the precedence that Hugging Face transformers 5 gives them:
 * `tokenizer.json` says how text becomes tokens; `tokenizer_config.json` names the special ones, `special_tokens_map.json` only
 * where that file has no `added_tokens_decoder`; templates in files of their own win over those in `tokenizer_config.json`.
 */
import type { ChatRendererOptions, ChatTemplateSource } from '../chat-template/chat-renderer.ts'
import { deferredChatTemplate } from '../chat-template/deferred-renderer.ts'
import { withChatTemplate } from '../chat-template/tokenizer-chat-template.ts'
import { UnsupportedTokenizerError } from '../errors.ts'
import { type Fields, fieldsOf, listOf, stringField, wrongKind } from '../json-fields.ts'
import type { PipelineTokenizer } from '../pipeline.ts'
import { tokenizerFromJson } from '../tokenizer-from-json.ts'
import { endOfTextIds } from './end-of-text.ts'
import { parseJsonFile } from './json-file.ts'
import type { TokenizerFolder } from './tokenizer-folder.ts'

export type LoadTokenizerOptions = Pick<ChatRendererOptions, 'limits' | 'clock' | 'templateName'>

/** Formats that we do not read; a folder that has only these is refused rather than taken for one without a tokenizer. */
const OTHER_FORMATS = [
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'vocab.json',
  'vocab.txt',
  'tekken.json',
  'tokenizer.tiktoken',
]

const EXTRA_TEMPLATE = /^additional_chat_templates\/([^/]+)\.jinja$/

/**
 * @returns undefined when the folder has no tokenizer
 * @throws {UnsupportedTokenizerError} there is a tokenizer, but not as a `tokenizer.json`
 * @throws {TokenizerError} a file cannot be understood; a chat template is only read when it is first used
 */
export async function loadTokenizerFiles(
  folder: TokenizerFolder,
  options: LoadTokenizerOptions = {},
): Promise<PipelineTokenizer | undefined> {
  const names = await folder.list?.()
  const source = await folder.read('tokenizer.json')
  if (source === undefined) {
    const others = OTHER_FORMATS.filter((name) => names?.includes(name) === true)
    if (others.length === 0) return undefined
    throw new UnsupportedTokenizerError({ found: others.join(' and '), expected: 'tokenizer.json' })
  }
  const config = await readConfig(folder)
  const endOfText = await endOfTextIds(folder)
  const unfinished = tokenizerFromJson(parseJsonFile(source, 'tokenizer.json'), { config: Object.fromEntries(config) })
  const { specialTokens } = unfinished
  const tokenizer = {
    ...unfinished,
    specialTokens: { ...specialTokens, endOfText: [...new Set([...specialTokens.endOfText, ...endOfText])] },
  }
  const templates = await readTemplates(folder, names ?? [], config)
  if (templates === undefined) return tokenizer
  return withChatTemplate(tokenizer, deferredChatTemplate(templates, { ...options, specialTokens: namedTokens(config) }))
}

async function readConfig(folder: TokenizerFolder): Promise<ReadonlyMap<string, unknown>> {
  const config = await readFields(folder, 'tokenizer_config.json')
  if (config?.values.has('added_tokens_decoder') === true) return config.values
  const map = await readFields(folder, 'special_tokens_map.json')
  return new Map([...(config?.values ?? []), ...(map?.values ?? [])])
}

async function readFields(folder: TokenizerFolder, name: string): Promise<Fields | undefined> {
  const source = await folder.read(name)
  return source === undefined ? undefined : fieldsOf(parseJsonFile(source, name), name)
}

async function readTemplates(
  folder: TokenizerFolder,
  names: readonly string[],
  config: ReadonlyMap<string, unknown>,
): Promise<ChatTemplateSource | undefined> {
  const templates = new Map<string, string>()
  const main = await folder.read('chat_template.jinja')
  if (main !== undefined) templates.set('default', main)
  for (const name of names) {
    const extra = EXTRA_TEMPLATE.exec(name)?.[1]
    const source = extra === undefined ? undefined : await folder.read(name)
    if (extra !== undefined && source !== undefined) templates.set(extra, source)
  }
  if (templates.size > 0) return templates
  const configured = config.get('chat_template')
  if (configured !== undefined && configured !== null) return templatesOf(configured, 'tokenizer_config.json: chat_template')
  const legacy = await readFields(folder, 'chat_template.json')
  return legacy === undefined ? undefined : templatesOf(legacy.values.get('chat_template'), 'chat_template.json: chat_template')
}

/** A template, a list of `{ name, template }`, or an object of templates by name. */
function templatesOf(value: unknown, path: string): ChatTemplateSource {
  if (typeof value === 'string') return value
  const templates = new Map<string, string>()
  if (Array.isArray(value)) {
    listOf(value, path).forEach((item, index) => {
      const fields = fieldsOf(item, `${path}[${index}]`)
      templates.set(stringField(fields, 'name'), stringField(fields, 'template'))
    })
    return templates
  }
  const fields = fieldsOf(value, path)
  for (const name of fields.values.keys()) templates.set(name, stringField(fields, name))
  return templates
}

/** What templates know as `bos_token`, `image_token`, …: every field of that form, as text or as an object with `content`. */
function namedTokens(config: ReadonlyMap<string, unknown>): Record<string, string> {
  const extra = config.get('extra_special_tokens')
  const fields = [...config, ...(typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? Object.entries(extra) : [])]
  const tokens = new Map<string, string>()
  for (const [name, value] of fields) {
    if (!name.endsWith('_token') || value === null || typeof value === 'boolean') continue
    if (typeof value === 'string') tokens.set(name, value)
    else if (typeof value === 'object') tokens.set(name, stringField(fieldsOf(value, name), 'content'))
    else throw wrongKind(value, 'a token', `tokenizer_config.json: ${name}`)
  }
  return Object.fromEntries(tokens)
}
