import type { Command } from 'commander'

/** Refuses anything but exactly one of several ways to give the input, as commander refuses a wrong option. */
export function requireOne(command: Command, given: Readonly<Record<string, unknown>>): void {
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  if (present.length === 1) return
  const found = present.length === 0 ? 'none' : present.map(([name]) => name).join(' and ')
  command.error(`error: expected one of ${Object.keys(given).join(', ')}, found ${found}`)
}
