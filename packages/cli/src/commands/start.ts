/** `foretoken start`: what `npm start` runs. One question is answered at once; in a terminal it goes on as a chat. */
import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { startConversation } from '../conversation.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { addSamplingOptions, CHAT_SAMPLING_HELP, chatSampling, type SamplingFlags, samplingOptions } from '../sampling-options.ts'
import { addSpeculationOptions, type SpeculationFlags, speculationOptions } from '../speculation-options.ts'
import { isInteractive, styleOf } from '../terminal.ts'
import { converseByHand, describeModel, viewOf } from './chat.ts'

const FIRST_QUESTION = 'Why is the sky blue?'
const MAX_NEW_TOKENS = 512

export function startCommand(context: CommandContext): Command {
  const command = new Command('start')
    .description('answers a question with the default model; in a terminal it goes on as a chat')
    .argument('[question...]', `what to ask (default: "${FIRST_QUESTION}")`, [])
    .addHelpText('after', `\n${CHAT_SAMPLING_HELP}`)
  command.option('--stats', 'which tokens were drafted')
  addSpeculationOptions(addSamplingOptions(addModelOptions(command)))
  return command.action(async (words: readonly string[], flags: ModelOptions & SamplingFlags & SpeculationFlags & { stats?: boolean }) => {
    const { terminal, interruption } = context
    await using opened = await openModel(flags, context)
    describeModel(opened, terminal)
    await using conversation = startConversation(opened.lm, {
      options: { maxNewTokens: MAX_NEW_TOKENS, ...samplingOptions(flags, chatSampling(opened.lm)), ...speculationOptions(flags) },
      interruption,
      isInteractive: isInteractive(terminal),
    })
    const question = words.length > 0 ? words.join(' ') : FIRST_QUESTION
    terminal.err.write(`${styleOf(terminal.err, terminal.environment).accent('> ')}${question}\n`)
    const newView = () => viewOf(terminal, flags.stats ?? false)
    if (isInteractive(terminal)) await converseByHand(conversation, context, newView, question)
    else await conversation.ask(question, newView())
  })
}
