/** `foretoken start`: what `npm start` runs. One question is answered at once; in a terminal it goes on as a chat. */
import { Command } from 'commander'
import { answerView } from '../answer-view.ts'
import type { CommandContext } from '../command-context.ts'
import { startConversation } from '../conversation.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { addSamplingOptions, type SamplingFlags, samplingOptions } from '../sampling-options.ts'
import { isInteractive, styleOf } from '../terminal.ts'
import { converse } from './chat.ts'

const FIRST_QUESTION = 'Why is the sky blue?'
const MAX_NEW_TOKENS = 512

export function startCommand(context: CommandContext): Command {
  const command = new Command('start')
    .description('answers a question with the default model; in a terminal it goes on as a chat')
    .argument('[question...]', 'what to ask', [])
  addSamplingOptions(addModelOptions(command))
  return command.action(async (words: readonly string[], flags: ModelOptions & SamplingFlags) => {
    const { terminal, interruption } = context
    await using opened = await openModel(flags, context)
    const style = styleOf(terminal.err, terminal.environment)
    const { plan } = opened.lm
    const formats = [...new Set(Object.values(plan.formats))].join(', ')
    terminal.err.write(
      `${style.dim(`${opened.found.path}, ${formats}, ${plan.threads} threads, loaded in ${(opened.loadMs / 1000).toFixed(1)} s`)}\n`,
    )
    for (const note of opened.found.notes) terminal.err.write(`${style.dim(note)}\n`)

    await using conversation = startConversation(opened.lm, {
      options: { maxNewTokens: MAX_NEW_TOKENS, ...samplingOptions(flags, opened.lm) },
      interruption,
    })
    const question = words.length > 0 ? words.join(' ') : FIRST_QUESTION
    terminal.err.write(`${style.accent('> ')}${question}\n`)
    await conversation.ask(question, answerView(terminal.out, terminal.err, terminal.environment))
    if (isInteractive(terminal)) await converse(conversation, context)
  })
}
