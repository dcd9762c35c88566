/** The program: arguments in, exit status out. Everything that touches the process is passed on from here. */
import process from 'node:process'
import { runCommandLine } from './command-line.ts'
import { processTerminal } from './terminal.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal(process))
// questions that were piped in and never read would keep the process alive
process.stdin.destroy()
