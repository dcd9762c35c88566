import { printableText } from './printable-text.ts'

/** An error for the terminal: the sentence for errors that are thrown on purpose, the stack for all others. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? (isOnPurpose(error) ? error.message : (error.stack ?? error.message)) : String(error)
  // names and values out of files are part of many messages
  return printableText(`error: ${text}`)
}

/** Errors of the packages carry a code of their own, those of the system one like ENOENT; `ERR_…` are wrong calls inside the program. */
function isOnPurpose(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_')
}
