/** How models of the hub are reached. */
import type { DownloadProgress } from '@foretoken/weights/hub'

export interface HubAccess {
  /** Shared with the hub's other libraries, `~/.cache/huggingface/hub` by default; in a page `foretoken/hub` in the files of the origin. */
  readonly cacheFolder?: string
  /** `https://huggingface.co` by default. */
  readonly endpoint?: string
  readonly accessToken?: string
  /** For proxies and tests; the runtime's own by default. */
  readonly fetch?: typeof globalThis.fetch
  /** Only what is in the cache. */
  readonly offline?: boolean
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}
