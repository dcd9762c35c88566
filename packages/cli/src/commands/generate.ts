/** `foretoken generate`: one output after a prompt, a message, or token ids. */
import { type GenerationPiece, generate, generateText, type PromptInput } from '@foretoken/generation'
import { Command } from 'commander'
import { answerView } from '../answer-view.ts'
import type { CommandContext } from '../command-context.ts'
import { addConstraintOptions, type ConstraintFlags, constraintOptions } from '../constraint-options.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { collectCounts, parseCount, parseTokens } from '../option-values.ts'
import { requireOne } from '../require-one.ts'
import { addSamplingOptions, type SamplingFlags, samplingOptions } from '../sampling-options.ts'
import { addSpeculationOptions, type SpeculationFlags, speculationOptions } from '../speculation-options.ts'

interface GenerateFlags extends ModelOptions, SamplingFlags, SpeculationFlags, ConstraintFlags {
  readonly prompt?: string
  readonly message?: string
  readonly tokens?: readonly number[]
  readonly maxNewTokens: number
  readonly stopToken?: readonly number[]
  readonly json?: boolean
  readonly stats?: boolean
}

const HELP = `
The output is greedy unless a sampling option is given.
Text goes to stdout, progress and statistics go to stderr.
--json prints { ids, text, logProbabilities, finishReason, statistics }; text is left out where the model has no tokenizer.`

export function generateCommand(context: CommandContext): Command {
  const command = new Command('generate')
    .description('one output after a prompt, a message, or token ids')
    .argument('[prompt]', 'text to continue')
    .option('-p, --prompt <text>', 'the same as an option')
    .option('--message <text>', "a user's message, in the model's chat template")
    .option(
      '--tokens <ids>',
      'token ids to continue, e.g. "1 2 3"; without a constraint neither end-of-text tokens nor the end of the context end the output then',
      parseTokens,
    )
    .option('-n, --max-new-tokens <n>', 'longest output', parseCount, 256)
    .option(
      '--stop-token <id>',
      'a token that ends the output, instead of the end-of-text tokens; may be repeated',
      collectCounts(parseCount),
    )
    .option('--json', 'one JSON object instead of text')
    .option('--stats', 'which tokens were drafted, and what drafts brought')
    .addHelpText('after', HELP)
  addConstraintOptions(addSpeculationOptions(addSamplingOptions(addModelOptions(command))))
  return command.action(async (text: string | undefined, flags: GenerateFlags) => {
    const { prompt, message, tokens } = flags
    requireOne(command, { '[prompt]': text, '--prompt': prompt, '--message': message, '--tokens': tokens })
    const { terminal, interruption } = context
    const constraint = await constraintOptions(flags)
    await using opened = await openModel(flags, context)
    const { lm } = opened
    const stopTokens = flags.stopToken ?? (tokens === undefined || constraint.constraint !== undefined ? undefined : [])
    const view = answerView(terminal.out, terminal.err, terminal.environment, { showsDrafts: flags.stats ?? false })
    const options = {
      ...inputOf(text ?? prompt, message, tokens),
      maxNewTokens: flags.maxNewTokens,
      ...samplingOptions(flags),
      ...speculationOptions(flags),
      ...constraint,
      ...(stopTokens === undefined ? {} : { stopTokens }),
      // raw ids go on as long as they are told to
      beyondContext: tokens !== undefined,
      signal: interruption.signal,
    }
    if (flags.json) {
      const { ids, text: output, logProbabilities, finishReason, statistics } = await generateText(lm, options)
      const record = { ids, ...(lm.tokenizer === undefined ? {} : { text: output }), logProbabilities, finishReason, statistics }
      terminal.out.write(`${JSON.stringify(record)}\n`)
    } else {
      try {
        let isFirst = true
        const shown = { onPrefill: view.prefill.bind(view), onDrafts: view.drafts.bind(view) }
        for await (const piece of generate(lm, { ...options, ...shown })) {
          view.show(lm.tokenizer === undefined ? withIds(piece, isFirst) : piece)
          isFirst = false
        }
      } finally {
        view.end(interruption.signal.aborted)
      }
    }
  })
}

function inputOf(prompt: string | undefined, message: string | undefined, tokens: readonly number[] | undefined): PromptInput {
  if (prompt !== undefined) return { prompt }
  return message === undefined ? { tokens: tokens ?? [] } : { messages: [{ role: 'user', content: message }] }
}

/** Where there is no text, the ids are shown. */
function withIds(piece: GenerationPiece, isFirst: boolean): GenerationPiece {
  return { ...piece, text: `${isFirst ? '' : ' '}${piece.ids.join(' ')}` }
}
