/** How far the fetching of a model is, whichever place it comes from. Fits `progressLine`. */
export interface SearchProgress {
  /** What is being fetched or done. */
  readonly label: string
  readonly receivedBytes: number
  readonly totalBytes?: number
  readonly bytesPerSecond: number
}
