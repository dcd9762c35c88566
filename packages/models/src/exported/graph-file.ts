import type { ExternalData } from '@foretoken/runtime'

/** An exported graph on disk, and the files that it may read. */
export interface GraphFile {
  readonly path: string
  /** The folder with config.json and the tokenizer: the graph's own, or the one above it. */
  readonly folder: string
  readonly bytes: Uint8Array
  /**
   * Checks that the files a graph names lie in its folder, symbolic links followed.
   *
   * @returns their bytes in all
   * @throws {CheckpointError} when one is missing, or leads out of the folder
   */
  checkExternal(locations: readonly string[]): Promise<number>
  /** The files in memory, for runtimes without files; checked before. */
  readExternal(locations: readonly string[]): Promise<readonly ExternalData[]>
}
