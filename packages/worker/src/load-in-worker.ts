import type { HostOptions } from './host-options.ts'
import type { HostedModel } from './hosted-model.ts'
import type { ModelSource } from './model-source.ts'

/**
 * Loads a model in a worker of its own.
 *
 * @returns the model; dispose of it to end the worker, which gives all of its memory back
 * @throws {UnsendableError} for a source or an option that cannot be sent
 * @throws {WorkerCrashedError} when the worker cannot be started, or ends while it loads
 * @throws {WorkerProtocolError} when the worker runs something else than `@foretoken/worker/entry` of this version
 * @throws what `loadCausalLM` throws, as the same classes with the same fields
 */
export async function loadInWorker(_source: ModelSource, _options: HostOptions = {}): Promise<HostedModel> {
  throw new Error('not there yet')
}
