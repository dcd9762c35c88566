/** `foretoken chat`: a conversation, line by line. Piped text is read as one question per line. */
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { answerView } from '../answer-view.ts'
import type { CommandContext } from '../command-context.ts'
import { type Conversation, startConversation } from '../conversation.ts'
import { addModelOptions, type ModelOptions, openModel } from '../open-model.ts'
import { parsePositiveCount } from '../option-values.ts'
import { addSamplingOptions, type SamplingFlags, samplingOptions } from '../sampling-options.ts'
import { isInteractive, styleOf, type Terminal } from '../terminal.ts'

interface ChatFlags extends ModelOptions, SamplingFlags {
  readonly system?: string
  readonly maxNewTokens: number
}

const HELP = '/clear forgets the conversation, /exit ends it, Ctrl-C stops an answer'

export function chatCommand(context: CommandContext): Command {
  const command = new Command('chat')
    .description('a conversation in the terminal')
    .option('--system <text>', 'the system message')
    .option('--max-new-tokens <n>', 'longest answer', parsePositiveCount, 1024)
  addSamplingOptions(addModelOptions(command))
  return command.action(async (flags: ChatFlags) => {
    await using opened = await openModel(flags, context)
    await using conversation = startConversation(opened.lm, {
      options: { maxNewTokens: flags.maxNewTokens, ...samplingOptions(flags, opened.lm) },
      interruption: context.interruption,
      ...(flags.system === undefined ? {} : { system: flags.system }),
    })
    await converse(conversation, context)
  })
}

/** Reads questions and writes answers until the input ends. */
export async function converse(conversation: Conversation, context: CommandContext): Promise<void> {
  const { terminal } = context
  const answer = async (question: string): Promise<void> => {
    await conversation.ask(question, answerView(terminal.out, terminal.err, terminal.environment))
  }
  if (!isInteractive(terminal)) {
    for await (const line of createInterface({ input: terminal.input, terminal: false })) {
      if (context.interruption.signal.aborted) return
      if (line.trim() !== '') await answer(line)
    }
    return
  }
  terminal.err.write(`${styleOf(terminal.err, terminal.environment).dim(HELP)}\n`)
  let history: string[] = []
  for (;;) {
    const { question, typed } = await ask(terminal, history)
    history = typed
    if (question === undefined || question === '/exit') return
    if (question === '/clear') conversation.clear()
    else if (question.startsWith('/')) terminal.err.write(`${HELP}\n`)
    else if (question !== '') await answer(question)
  }
}

/** One line of the user's; undefined at the end of the input and on Ctrl-C. The terminal is only held while a line is typed. */
async function ask(terminal: Terminal, history: readonly string[]): Promise<{ question: string | undefined; typed: string[] }> {
  const lines = createInterface({ input: terminal.input, output: terminal.screen, history: [...history], historySize: 200 })
  const ended = new AbortController()
  lines.on('SIGINT', () => ended.abort())
  lines.on('close', () => ended.abort())
  let typed = [...history]
  lines.on('history', (entries) => {
    typed = entries
  })
  try {
    const style = styleOf(terminal.out, terminal.environment)
    return { question: (await lines.question(style.accent('> '), { signal: ended.signal })).trim(), typed }
  } catch (error) {
    if (!ended.signal.aborted) throw error
    terminal.out.write('\n')
    return { question: undefined, typed }
  } finally {
    lines.close()
  }
}
