// The commands, for programs that bring their own terminal or take over the output of this one.
export { runCommandLine } from './command-line.ts'
export { type OutputStream, processTerminal, type Terminal, type TerminalInput } from './terminal.ts'
