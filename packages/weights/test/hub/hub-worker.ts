/** A tab for tests: a dedicated worker that downloads from the hub of `page-hub.ts` and says what came of it. */
import { openHub } from '../../src/hub/index.ts'
import { countingBytes, ENDPOINT, hexDigest, type PageHubFaults, pageHub, REPOSITORY, WEIGHTS_FILE } from './page-hub.ts'

export interface HubJob {
  readonly cacheFolder: string
  /** The weights are `countingBytes` of this many. */
  readonly weightsBytes: number
  readonly faults?: PageHubFaults
  readonly offline?: boolean
}

export interface HubOutcome {
  /** SHA-256 of the weights as they were read from the set of files. */
  readonly hash?: string
  readonly paths?: readonly string[]
  readonly notes?: readonly string[]
  /** Notes of the last event. */
  readonly progressNotes?: readonly string[]
  readonly error?: { readonly code: string; readonly message: string }
  readonly requests: readonly (string | null)[]
}

/** Posted while weights arrive. */
export interface HubProgress {
  readonly receivedBytes: number
}

addEventListener('message', async ({ data }: MessageEvent<HubJob>) => {
  postMessage(await download(data))
})

async function download({ cacheFolder, weightsBytes, faults, offline = false }: HubJob): Promise<HubOutcome> {
  const server = pageHub(countingBytes(weightsBytes), faults)
  const hub = openHub({
    endpoint: ENDPOINT,
    cacheFolder,
    fetch: server.fetch,
    offline,
    retry: { attempts: 3, firstDelayMs: 1, longestDelayMs: 5 },
  })
  let progressNotes: readonly string[] | undefined
  try {
    const files = await hub.files(REPOSITORY, {
      onProgress({ file, fileReceivedBytes, notes }) {
        progressNotes = notes
        if (file === WEIGHTS_FILE) postMessage({ receivedBytes: fileReceivedBytes } satisfies HubProgress)
      },
    })
    await using source = await files.open(WEIGHTS_FILE)
    const bytes = new Uint8Array(await source.read(0, source.byteLength))
    const outcome = { hash: await hexDigest('SHA-256', bytes), paths: files.paths, notes: files.notes, requests: server.requests }
    return progressNotes === undefined ? outcome : { ...outcome, progressNotes }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return { error: { code, message: String(error) }, requests: server.requests }
  }
}
