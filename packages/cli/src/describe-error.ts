/** An error for the terminal: the sentence for errors that are thrown on purpose, the stack for all others. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`
  // errors thrown on purpose carry a code of their own, and their message says what to do
  const isOnPurpose = 'code' in error && typeof error.code === 'string'
  return isOnPurpose ? `error: ${error.message}` : `error: ${error.stack ?? error.message}`
}
