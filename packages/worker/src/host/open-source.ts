/** What was sent, as `loadCausalLM` takes it. */
import { type Checkpoint, ggufCheckpoint } from '@foretoken/models'
import { type ChosenFiles, httpSource, openGguf } from '@foretoken/weights'
import type { SentSource } from '../messages/protocol.ts'

export async function openSource(source: SentSource, signal: AbortSignal): Promise<string | Checkpoint | ChosenFiles> {
  if (source.kind === 'reference') return source.reference
  // bytes that have moved here become a blob, and are held by nothing else afterwards
  if (source.kind === 'files') return new Map(source.files.map(({ name, data }) => [name, data instanceof Blob ? data : new Blob([data])]))
  const file = await httpSource(source.url, { signal })
  return ggufCheckpoint(await openGguf(file, { signal }), file.name)
}
