/** The commands of `foretoken`, and what becomes of their errors. */
import { Command, CommanderError } from 'commander'
import type { CommandContext } from './command-context.ts'
import { benchCommand } from './commands/bench.ts'
import { chatCommand } from './commands/chat.ts'
import { generateCommand } from './commands/generate.ts'
import { inspectCommand } from './commands/inspect.ts'
import { scoreCommand } from './commands/score.ts'
import { startCommand } from './commands/start.ts'
import { tokenizeCommand } from './commands/tokenize.ts'
import { describeError } from './describe-error.ts'
import { CommandEndedError, createInterruption, type Interruption, terminated, unread } from './interruption.ts'
import type { Terminal } from './terminal.ts'
import { VERSION } from './version.ts'

const WRONG_COMMAND_LINE = 2

/**
 * Runs one command line.
 *
 * @param args  without the program's name
 * @returns     the exit status: 0, 1 after an error, 2 for a wrong command line, 130 after Ctrl-C, 143 after a request to end;
 *              0 when nobody reads the output any more
 */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const interruption = createInterruption()
  const stopListening = listen(terminal, interruption)
  try {
    const status = await run({ terminal, interruption }, args)
    await terminal.flush()
    interruption.signal.throwIfAborted()
    return status
  } catch (error) {
    const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error
    if (reason instanceof CommandEndedError) return reason.status
    terminal.err.write(`${describeError(reason)}\n`)
    return 1
  } finally {
    stopListening()
  }
}

async function run(context: CommandContext, args: readonly string[]): Promise<number> {
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    // its message is written already; help and version end with 0
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_COMMAND_LINE
    throw error
  }
}

function listen(terminal: Terminal, interruption: Interruption): () => void {
  const stopInterrupts = terminal.onInterrupt(() => {
    interruption.interrupt()
    // what is under way may take long to notice (opening a session): a second Ctrl-C ends the process itself
    if (interruption.signal.aborted) stopInterrupts()
  })
  const stopTerminations = terminal.onTermination(() => interruption.end(terminated()))
  const stopErrors = terminal.onOutputError((error) => {
    interruption.end('code' in error && error.code === 'EPIPE' ? unread() : error)
  })
  return () => {
    stopInterrupts()
    stopTerminations()
    stopErrors()
  }
}

function createProgram(context: CommandContext): Command {
  const { terminal } = context
  const program = new Command('foretoken')
    .description('Language models on ONNX Runtime, from safetensors, GGUF or the hub')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(foretoken --help lists the commands, foretoken COMMAND --help the options of one)')
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      getOutHelpWidth: () => terminal.out.columns ?? 80,
      getErrHelpWidth: () => terminal.err.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  for (const create of [startCommand, chatCommand, generateCommand, scoreCommand, tokenizeCommand, inspectCommand, benchCommand]) {
    // commands inherit neither the output nor the way of exiting when they are added
    program.addCommand(create(context).copyInheritedSettings(program))
  }
  return program
}
