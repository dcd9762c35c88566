import type { Interruption } from './interruption.ts'
import type { Terminal } from './terminal.ts'

/** What every command gets. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly interruption: Interruption
}
