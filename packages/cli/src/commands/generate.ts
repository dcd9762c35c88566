/** `foretoken generate`: one output after a prompt, a message, or token ids. */
import { type GenerationPiece, generate, type PromptInput } from '@foretoken/generation'
import { ArgumentError } from '@foretoken/tensor'
import { Command } from 'commander'
import { answerView } from '../answer-view.ts'
import type { CommandContext } from '../command-context.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { collectCounts, parseCount, parseTokens } from '../option-values.ts'
import { addSamplingOptions, type SamplingFlags, samplingOptions } from '../sampling-options.ts'

interface GenerateFlags extends ModelOptions, SamplingFlags {
  readonly prompt?: string
  readonly message?: string
  readonly tokens?: readonly number[]
  readonly maxNewTokens: number
  readonly stopToken?: readonly number[]
  readonly json?: boolean
}

export function generateCommand(context: CommandContext): Command {
  const command = new Command('generate')
    .description('one output after a prompt, a message, or token ids')
    .option('-p, --prompt <text>', 'text to continue')
    .option('--message <text>', "a user's message, in the model's chat template")
    .option(
      '--tokens <ids>',
      'token ids to continue, e.g. "1 2 3"; nothing but --max-new-tokens and --stop-token ends the output then',
      parseTokens,
    )
    .option('-n, --max-new-tokens <n>', 'longest output', parseCount, 256)
    .option('--stop-token <id>', 'a token that ends the output; may be repeated', collectCounts)
    .option('--json', 'one JSON object instead of text')
  addSamplingOptions(addModelOptions(command))
  return command.action(async (flags: GenerateFlags) => {
    const { terminal, interruption } = context
    const input = promptOf(flags)
    await using opened = await openModel(flags, context)
    const { lm } = opened
    const stopTokens = flags.stopToken ?? (flags.tokens === undefined ? undefined : [])
    const pieces = generate(lm, {
      ...input,
      maxNewTokens: flags.maxNewTokens,
      ...samplingOptions(flags, lm),
      ...(stopTokens === undefined ? {} : { stopTokens }),
      signal: interruption.signal,
    })
    if (flags.json) terminal.out.write(`${JSON.stringify(await collected(pieces, lm.tokenizer !== undefined))}\n`)
    else if (lm.tokenizer === undefined) terminal.out.write(`${(await collected(pieces, false)).ids.join(' ')}\n`)
    else {
      const view = answerView(terminal.out, terminal.err, terminal.environment)
      let last: GenerationPiece | undefined
      for await (const piece of pieces) {
        view.show(piece)
        last = piece
      }
      view.end(last?.statistics, false)
    }
  })
}

function promptOf({ prompt, message, tokens }: GenerateFlags): PromptInput {
  const given = [prompt, message, tokens].filter((each) => each !== undefined)
  if (given.length !== 1) {
    throw new ArgumentError({ field: '--prompt, --message, --tokens', found: `${given.length} of them`, expected: 'exactly one' })
  }
  if (prompt !== undefined) return { prompt }
  return message === undefined ? { tokens: tokens ?? [] } : { messages: [{ role: 'user', content: message }] }
}

/** The fields of the JSON object. */
async function collected(pieces: AsyncIterable<GenerationPiece>, hasText: boolean) {
  const ids: number[] = []
  const logProbabilities: number[] = []
  let text = ''
  let last: GenerationPiece | undefined
  for await (const piece of pieces) {
    ids.push(...piece.ids)
    logProbabilities.push(...piece.logProbabilities)
    text += piece.text
    last = piece
  }
  return { ids, ...(hasText ? { text } : {}), logProbabilities, finishReason: last?.finishReason, statistics: last?.statistics }
}
