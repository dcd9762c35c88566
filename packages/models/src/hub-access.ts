/** How models of the hub are reached. */
import type { DownloadProgress } from '@foretoken/weights/hub'

export interface HubAccess {
  /** Shared with the hub's other libraries; `~/.cache/huggingface/hub` by default. */
  readonly cacheFolder?: string
  /** `https://huggingface.co` by default. */
  readonly endpoint?: string
  readonly accessToken?: string
  /** Only what is in the cache. */
  readonly offline?: boolean
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}
