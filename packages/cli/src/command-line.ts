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
import { createInterruption } from './interruption.ts'
import type { Terminal } from './terminal.ts'
import { VERSION } from './version.ts'

/** As a shell reports a program that was interrupted. */
const INTERRUPTED = 130

/**
 * Runs one command line.
 *
 * @param args  without the program's name
 * @returns     the exit status: 0, 1 after an error, 2 for a wrong command line, 130 after Ctrl-C
 */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const interruption = createInterruption()
  const stop = terminal.onInterrupt(() => interruption.interrupt())
  try {
    await createProgram({ terminal, interruption }).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (interruption.signal.aborted) return INTERRUPTED
    terminal.err.write(`${describeError(error)}\n`)
    return 1
  } finally {
    stop()
  }
}

function createProgram(context: CommandContext): Command {
  const { terminal } = context
  const program = new Command('foretoken')
    .description('Language models on ONNX Runtime, from safetensors, GGUF or the hub')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(foretoken --help lists the commands)')
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    })
  for (const create of [startCommand, chatCommand, generateCommand, scoreCommand, tokenizeCommand, inspectCommand, benchCommand]) {
    // commands inherit neither the output nor the way of exiting when they are added
    program.addCommand(create(context).copyInheritedSettings(program))
  }
  return program
}
