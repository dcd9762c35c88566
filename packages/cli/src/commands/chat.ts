/** `foretoken chat`: a conversation, line by line. Piped text is read as one question per line. */
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { alignedTable } from '../aligned-table.ts'
import { type AnswerView, answerView } from '../answer-view.ts'
import type { CommandContext } from '../command-context.ts'
import { addConstraintOptions, type ConstraintFlags, constraintOptions } from '../constraint-options.ts'
import { type Conversation, startConversation } from '../conversation.ts'
import { describeError } from '../describe-error.ts'
import { lineReader } from '../line-reader.ts'
import { addModelOptions, type ModelOptions, type OpenedModel, openModel } from '../open-model.ts'
import { parsePositiveCount } from '../option-values.ts'
import { planLines, planSummary } from '../plan-lines.ts'
import { addSamplingOptions, CHAT_SAMPLING_HELP, chatSampling, type SamplingFlags, samplingOptions } from '../sampling-options.ts'
import { addSpeculationOptions, type SpeculationFlags, speculationOptions } from '../speculation-options.ts'
import { isInteractive, styleOf, type Terminal } from '../terminal.ts'

interface ChatFlags extends ModelOptions, SamplingFlags, SpeculationFlags, ConstraintFlags {
  readonly system?: string
  readonly maxNewTokens: number
  readonly stats?: boolean
}

const COMMANDS = '/clear forgets the conversation, /exit or Ctrl-D ends it, Ctrl-C stops an answer'

export function chatCommand(context: CommandContext): Command {
  const command = new Command('chat')
    .description('a conversation in the terminal; piped text is one question per line')
    .option('--system <text>', 'the system message')
    .option('-n, --max-new-tokens <n>', 'longest answer', parsePositiveCount, 1024)
    .option('--stats', 'what runs where and how long steps take, and which tokens were drafted')
    .addHelpText('after', `\n${CHAT_SAMPLING_HELP}\n${COMMANDS}.`)
  addConstraintOptions(addSpeculationOptions(addSamplingOptions(addModelOptions(command))))
  return command.action(async (flags: ChatFlags) => {
    const { terminal, interruption } = context
    const constraint = await constraintOptions(flags)
    await using opened = await openModel(flags, context)
    await using conversation = startConversation(opened.lm, {
      options: {
        maxNewTokens: flags.maxNewTokens,
        ...samplingOptions(flags, chatSampling(opened.lm)),
        ...speculationOptions(flags),
        ...constraint,
      },
      interruption,
      isInteractive: isInteractive(terminal),
      ...(flags.system === undefined ? {} : { system: flags.system }),
    })
    describeModel(opened, terminal)
    if (flags.stats) terminal.err.write(`${styleOf(terminal.err, terminal.environment).dim(alignedTable(planLines(opened.lm.plan)))}\n`)
    await converse(conversation, context, flags.stats)
  })
}

/** What is about to answer, in one line, and what the search for it had to say. */
export function describeModel({ lm, found, loadMs }: OpenedModel, { err, environment }: Terminal): void {
  const { dim } = styleOf(err, environment)
  err.write(`${dim(`${found.path}, ${planSummary(lm.plan)}, loaded in ${(loadMs / 1000).toFixed(1)} s`)}\n`)
  for (const note of found.notes) err.write(`${dim(note)}\n`)
}

/** Reads questions and writes answers until the input ends. */
async function converse(conversation: Conversation, context: CommandContext, showsDrafts = false): Promise<void> {
  const newView = () => viewOf(context.terminal, showsDrafts)
  if (isInteractive(context.terminal)) await converseByHand(conversation, context, newView)
  else await answerLines(conversation, context, newView)
}

export function viewOf({ out, err, environment }: Terminal, showsDrafts: boolean): AnswerView {
  return answerView(out, err, environment, { showsDrafts })
}

async function answerLines(
  conversation: Conversation,
  { terminal, interruption }: CommandContext,
  newView: () => AnswerView,
): Promise<void> {
  const { signal } = interruption
  for await (const line of createInterface({ input: terminal.input, terminal: false, signal })) {
    signal.throwIfAborted()
    if (line.trim() !== '') await conversation.ask(line, newView())
  }
  signal.throwIfAborted()
}

/**
 * @param newView  for each answer
 * @param first    a question to begin with
 */
export async function converseByHand(
  conversation: Conversation,
  { terminal, interruption }: CommandContext,
  newView: () => AnswerView,
  first?: string,
): Promise<void> {
  const { out, err, environment } = terminal
  const { signal } = interruption
  const lines = lineReader(terminal, styleOf(out, environment).accent('> '), signal)
  const answer = async (question: string): Promise<void> => {
    const release = lines.hold(() => interruption.interrupt())
    try {
      await conversation.ask(question, newView())
    } catch (error) {
      // an error that says what to do (a conversation that is longer than the context) does not end the chat
      if (signal.aborted || !(error instanceof Error && 'code' in error)) throw error
      err.write(`${describeError(error)}\n`)
    } finally {
      release()
    }
  }
  if (first !== undefined) await answer(first)
  err.write(`${styleOf(err, environment).dim(COMMANDS)}\n`)
  for (;;) {
    const line = (await lines.next())?.trim()
    signal.throwIfAborted()
    if (line === undefined || line === '/exit') return
    if (line === '/clear') {
      conversation.clear()
      err.write('The conversation is forgotten.\n')
    } else if (line.startsWith('/')) err.write(`${COMMANDS}\n`)
    else if (line !== '') await answer(line)
  }
}
