/**
 * What ends a command before its time: Ctrl-C, a signal of the system, an output that nobody reads. Ctrl-C goes to the last who took it
 * (a chat takes it for the answer that is being written); everything else, and a Ctrl-C that nobody took, aborts the command.
 */

/** The reason of the signal, and what the shell is told then. */
export class CommandEndedError extends Error {
  override readonly name = 'CommandEndedError'
  readonly status: number

  constructor(reason: string, status: number) {
    super(reason)
    this.status = status
  }
}

/** As shells count programs that were ended by SIGINT and SIGTERM. */
const INTERRUPTED = 130
const TERMINATED = 143

export const terminated = () => new CommandEndedError('terminated', TERMINATED)
/** As in `foretoken … | head`: the reader has enough, which is not a failure. */
export const unread = () => new CommandEndedError('nobody reads the output', 0)

export interface Interruption {
  /** Aborted when the command has to end. */
  readonly signal: AbortSignal
  /** From here on Ctrl-C calls back, until the returned function is called. */
  take(callback: () => void): () => void
  /** Ctrl-C. */
  interrupt(): void
  /** Ends the command, whoever took Ctrl-C. */
  end(reason: Error): void
}

export function createInterruption(): Interruption {
  const controller = new AbortController()
  const takers: (() => void)[] = []
  return {
    signal: controller.signal,
    take(callback) {
      takers.push(callback)
      return () => {
        const at = takers.lastIndexOf(callback)
        if (at >= 0) takers.splice(at, 1)
      }
    },
    interrupt() {
      const last = takers.at(-1)
      if (last === undefined) controller.abort(new CommandEndedError('interrupted', INTERRUPTED))
      else last()
    },
    end: (reason) => controller.abort(reason),
  }
}
