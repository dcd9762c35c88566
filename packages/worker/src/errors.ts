import { ForetokenError } from '@foretoken/tensor'

/** The worker ended without being asked to: an uncaught error, an exit, no memory. What it held is gone; the model can be loaded again. */
export class WorkerCrashedError extends ForetokenError {
  readonly code = 'worker-crashed'
}

/** Something cannot be sent to a worker: a function, an object with methods, or what runtimes refuse to copy. */
export class UnsendableError extends ForetokenError {
  readonly code = 'unsendable'
}

/** The other side of the messages is not of this package, or of another version of it. */
export class WorkerProtocolError extends ForetokenError {
  readonly code = 'worker-protocol'
}

/** Bytes that are no snapshot of a conversation, or one of another model. */
export class SnapshotError extends ForetokenError {
  readonly code = 'snapshot'
}
