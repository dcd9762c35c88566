/** `foretoken tokenize`: text to token ids, or ids back to text. A folder with tokenizer files is enough, weights are not needed. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCheckpoint } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { loadTokenizerFiles, type Tokenizer } from '@foretoken/tokenizers'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { addLocationOptions, locateModel, type ModelOptions } from '../open-model.ts'
import { parseTokens } from '../option-values.ts'
import { printableText } from '../printable-text.ts'
import { requireOne } from '../require-one.ts'

interface TokenizeFlags extends ModelOptions {
  readonly decode?: readonly number[]
  readonly special?: boolean
  readonly parseSpecial?: boolean
  readonly json?: boolean
}

export function tokenizeCommand(context: CommandContext): Command {
  const command = new Command('tokenize')
    .description('the token ids of a text, or the text of token ids')
    .argument('[text]', 'the text')
    .option('--decode <ids>', 'token ids to turn into text', parseTokens)
    .option('--special', 'add the special tokens that the tokenizer puts around a text; with --decode, show them')
    .option('--parse-special', 'special tokens written in the text become these tokens')
    .option('--json', 'one JSON object: { ids, tokens }, with --decode { text }')
  addLocationOptions(command)
  return command.action(async (text: string | undefined, flags: TokenizeFlags) => {
    requireOne(command, { '[text]': text, '--decode': flags.decode })
    const tokenizer = await openTokenizer(flags, context)
    const { out } = context.terminal
    if (flags.decode !== undefined) {
      const decoded = decode(tokenizer, flags.decode, flags.special ?? false)
      const shown = out.isTTY === true ? printableText(decoded) : decoded
      out.write(`${flags.json ? JSON.stringify({ text: decoded }) : shown}\n`)
      return
    }
    const ids = [
      ...tokenizer.encode(text ?? '', { addSpecialTokens: flags.special ?? false, parseSpecialTokens: flags.parseSpecial ?? false }),
    ]
    const tokens = ids.map((id) => tokenizer.tokenOf(id) ?? '')
    if (flags.json) out.write(`${JSON.stringify({ ids, tokens })}\n`)
    else {
      const rows = ids.map((id, at) => [`${id}`, printableText(JSON.stringify(tokens[at] ?? ''))])
      out.write(`${rows.length === 0 ? '' : `${alignedTable(rows)}\n`}${ids.length} tokens\n`)
    }
  })
}

/** The tokenizer of a folder that may have nothing else, or of a model wherever it is. */
async function openTokenizer(flags: TokenizeFlags, context: CommandContext): Promise<Tokenizer> {
  const { model } = flags
  const names = model === undefined ? [] : await readdir(model).catch((): string[] => [])
  if (model !== undefined && names.includes('tokenizer.json')) {
    const tokenizer = await loadTokenizerFiles({
      read: (name) => (names.includes(name) ? readFile(join(model, name), 'utf8') : Promise.resolve(undefined)),
    })
    if (tokenizer !== undefined) return tokenizer
  }
  const found = await locateModel(flags, context)
  await using checkpoint = await openCheckpoint(found.path)
  if (checkpoint.tokenizer !== undefined) return checkpoint.tokenizer
  throw new ArgumentError({ file: found.path, found: 'no tokenizer files', expected: 'a model that has them' })
}

function decode(tokenizer: Tokenizer, ids: readonly number[], keepsSpecial: boolean): string {
  const unknown = ids.find((id) => tokenizer.tokenOf(id) === undefined)
  if (unknown !== undefined) throw new ArgumentError({ field: '--decode', found: `${unknown}`, expected: 'ids of the vocabulary' })
  return tokenizer.decode(ids, { skipSpecialTokens: !keepsSpecial })
}
