import { runCommandLine } from '../src/command-line.ts'
import { fakeTerminal } from './fake-terminal.ts'

export interface CommandResult {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** One command with nothing typed, in a fake terminal. */
export async function runCommand(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}): Promise<CommandResult> {
  const terminal = fakeTerminal(options)
  terminal.input.end()
  const status = await runCommandLine(args, terminal)
  return { status, out: terminal.outText(), err: withoutProgress(terminal.errText()) }
}

/** On a busy machine even tiny weights take long enough for progress lines. */
export function withoutProgress(err: string): string {
  return err.replace(/^Preparing weights .*\n/gm, '')
}
