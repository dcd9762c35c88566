import type { HubFile } from './hub-file.ts'
import { transferRate } from './transfer-rate.ts'

/** How far a download is. Bytes that were there before count as received, but not in the rate. */
export interface DownloadProgress {
  /** Path of the file that is arriving. */
  readonly file: string
  readonly fileReceivedBytes: number
  readonly fileTotalBytes: number
  /** Of all files of this download together. */
  readonly receivedBytes: number
  readonly totalBytes: number
  readonly filesDone: number
  readonly filesTotal: number
  /** Through the network, over the last three seconds. */
  readonly bytesPerSecond: number
  /** What the user should know, such as that a file is held in memory because the browser gives no room. */
  readonly notes: readonly string[]
}

export interface ProgressReport {
  bytes(file: HubFile, receivedBytes: number, isNew: boolean): void
  done(file: HubFile): void
}

/** Events at most this often, besides the first and the last of each file. */
const EVERY_MS = 100

/** Turns the bytes of single files into events about the whole download. */
export function reportProgress(
  files: readonly HubFile[],
  clock: () => number,
  notes: readonly string[],
  onProgress: ((progress: DownloadProgress) => void) | undefined,
): ProgressReport {
  const rate = transferRate(clock)
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0)
  let filesDone = 0
  let doneBytes = 0
  let receivedBytes = 0
  let reportedMs = Number.NEGATIVE_INFINITY
  const emit = (file: HubFile) => {
    reportedMs = clock()
    onProgress?.({
      file: file.path,
      fileReceivedBytes: receivedBytes,
      fileTotalBytes: file.size,
      receivedBytes: doneBytes + receivedBytes,
      totalBytes,
      filesDone,
      filesTotal: files.length,
      bytesPerSecond: rate.bytesPerSecond(),
      notes: [...notes],
    })
  }
  return {
    bytes(file, bytes, isNew) {
      if (isNew) rate.add(Math.max(0, bytes - receivedBytes))
      receivedBytes = bytes
      if (!isNew || clock() - reportedMs >= EVERY_MS) emit(file)
    },
    done(file) {
      filesDone += 1
      receivedBytes = file.size
      emit(file)
      doneBytes += file.size
      receivedBytes = 0
    },
  }
}
