/** A tab for tests: a dedicated worker that opens a model and takes one step. */
import type { ChosenFiles } from '@foretoken/weights'
import { type LoadOptions, listStoredModels, loadCausalLM, type StoredModelEntry } from '../../src/index.ts'
import { hubFetch } from './hub-fetch.ts'

export interface PageJob {
  /** Files, or a repository of a hub that holds `files`. */
  readonly source: ChosenFiles | string
  readonly files?: ReadonlyMap<string, Blob>
  readonly options: Pick<LoadOptions, 'format' | 'convertedFolder' | 'convertedLimitBytes' | 'exported' | 'selfTest'>
  readonly cacheFolder?: string
  readonly offline?: boolean
  readonly tokens: readonly number[]
}

export interface PageOutcome {
  readonly logits?: Float32Array
  readonly notes?: readonly string[]
  readonly exact?: boolean
  readonly stepTimes?: number
  /** Bytes that were converted. */
  readonly convertedBytes?: number
  readonly entries?: readonly StoredModelEntry[]
  /** Paths that the hub was asked for. */
  readonly requests: readonly string[]
  readonly error?: { readonly code: string; readonly message: string }
}

addEventListener('message', async ({ data }: MessageEvent<PageJob>) => {
  postMessage(await openOnce(data))
})

async function openOnce({
  source,
  files,
  options,
  cacheFolder = 'models-test-hub',
  offline = false,
  tokens,
}: PageJob): Promise<PageOutcome> {
  const requests: string[] = []
  let convertedBytes = 0
  try {
    await using lm = await loadCausalLM(source, {
      ...options,
      hub: { cacheFolder, offline, endpoint: 'https://hub.test', fetch: hubFetch(files ?? new Map(), requests) },
      onProgress: ({ doneBytes }) => {
        convertedBytes = doneBytes
      },
    })
    await using cache = lm.createCache()
    const { logits } = await lm.forward({ tokens: Int32Array.from(tokens), cache, want: { logits: 'all' } })
    return {
      ...(logits !== undefined && { logits: Float32Array.from(logits.data) }),
      notes: lm.plan.notes,
      exact: lm.plan.exact,
      stepTimes: lm.plan.stepTimes?.length ?? 0,
      convertedBytes,
      entries: options.convertedFolder === undefined ? [] : await listStoredModels(options.convertedFolder),
      requests,
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return { error: { code, message: String(error) }, requests }
  }
}
