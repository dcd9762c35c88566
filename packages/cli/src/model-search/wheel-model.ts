/**
 * The model of a wheel: fetched by pip, unpacked, checked, moved into the cache in one step, and the wheel thrown away. Two processes take
 * turns; the second finds the file. All intermediate files lie in one folder beside the target, which a later attempt clears.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { takeFileLock, transferRate } from '@foretoken/weights/hub'
import type { WheelSource } from './default-model.ts'
import { type PipCommand, pipDownload } from './pip-download.ts'
import type { SearchProgress } from './search-progress.ts'
import { unpackEntry } from './wheel-entry.ts'

export interface WheelRequest {
  readonly wheel: WheelSource
  readonly cacheFolder: string
  readonly commands: readonly PipCommand[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined
}

/** Where the file of a wheel lies once it is unpacked. */
function wheelTarget(cacheFolder: string, { packageName, version, entry }: WheelSource): string {
  return join(cacheFolder, 'wheels', `${packageName}-${version}`, basename(entry))
}

/** The path of the unpacked file if it is there, whole. Its hash was checked before it got its name. */
export async function unpackedWheel(cacheFolder: string, wheel: WheelSource): Promise<string | undefined> {
  const target = wheelTarget(cacheFolder, wheel)
  const facts = await stat(target).catch(() => undefined)
  return facts?.size === wheel.size ? target : undefined
}

/**
 * @returns path of the model in the cache
 * @throws {PipError | ArchiveError | DownloadSizeError | DownloadHashError | DiskFullError} and the reason of `signal`; nothing is left then
 */
export async function fetchWheelModel(request: WheelRequest): Promise<string> {
  const { wheel, cacheFolder, commands, onProgress } = request
  const { packageName, version, wheelBytes } = wheel
  const target = wheelTarget(cacheFolder, wheel)
  const label = `${packageName} ${version}`
  const waiting = { label: `${label}: another process fetches it`, receivedBytes: 0, bytesPerSecond: 0 }
  await using lock = await takeFileLock(`${dirname(target)}.lock`, { signal: request.signal, onWait: () => onProgress?.(waiting) })
  const done = await unpackedWheel(cacheFolder, wheel)
  if (done !== undefined) return done
  const signal = request.signal === undefined ? lock.lost : AbortSignal.any([request.signal, lock.lost])
  const work = `${dirname(target)}.work`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  try {
    const rate = transferRate(() => performance.now())
    let seenBytes = 0
    const archive = await pipDownload({
      commands,
      packageName,
      version,
      folder: work,
      neededBytes: wheelBytes + wheel.size,
      signal,
      onBytes: (bytes) => {
        rate.add(Math.max(0, bytes - seenBytes))
        seenBytes = Math.max(bytes, seenBytes)
        const totalBytes = Math.max(wheelBytes, seenBytes)
        onProgress?.({ label, receivedBytes: seenBytes, totalBytes, bytesPerSecond: rate.bytesPerSecond() })
      },
    })
    const unpacked = join(work, basename(target))
    const unpacking = { label: `${basename(target)}: unpack and check`, totalBytes: wheel.size, bytesPerSecond: 0 }
    await unpackEntry({
      archive,
      entry: wheel.entry,
      size: wheel.size,
      sha256: wheel.sha256,
      target: unpacked,
      signal,
      onBytes: (receivedBytes) => onProgress?.({ ...unpacking, receivedBytes }),
    })
    await mkdir(dirname(target), { recursive: true })
    await rename(unpacked, target)
    return target
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
