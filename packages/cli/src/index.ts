// The commands, for programs that bring their own terminal.
export { runCommandLine } from './command-line.ts'
export type { OutputStream, Terminal } from './terminal.ts'
