/** `foretoken tokenize`: text to token ids, or ids back to text. */
import { openCheckpoint } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import type { CommandContext } from '../command-context.ts'
import { addModelOptions, locateModel, type ModelOptions } from '../open-model.ts'
import { parseTokens } from '../option-values.ts'

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
    .option('--special', 'add the special tokens that the tokenizer puts around a text')
    .option('--parse-special', 'special tokens written in the text become these tokens')
    .option('--json', 'one JSON object instead of a table')
  addModelOptions(command)
  return command.action(async (text: string | undefined, flags: TokenizeFlags) => {
    if ((text === undefined) === (flags.decode === undefined)) {
      throw new ArgumentError({ field: 'text, --decode', found: text === undefined ? 'neither' : 'both', expected: 'one of them' })
    }
    const found = await locateModel(flags, context)
    await using checkpoint = await openCheckpoint(found.path)
    const { tokenizer } = checkpoint
    if (tokenizer === undefined)
      throw new ArgumentError({ file: found.path, found: 'no tokenizer files', expected: 'a model that has them' })
    const { out } = context.terminal
    if (flags.decode !== undefined) {
      const decoded = tokenizer.decode(flags.decode)
      out.write(`${flags.json ? JSON.stringify({ text: decoded }) : decoded}\n`)
      return
    }
    const ids = [
      ...tokenizer.encode(text ?? '', { addSpecialTokens: flags.special ?? false, parseSpecialTokens: flags.parseSpecial ?? false }),
    ]
    const tokens = ids.map((id) => tokenizer.tokenOf(id) ?? '')
    if (flags.json) out.write(`${JSON.stringify({ ids, tokens })}\n`)
    else out.write(`${alignedTable(ids.map((id, at) => [`${id}`, tokens[at] ?? '']))}\n${ids.length} tokens\n`)
  })
}
