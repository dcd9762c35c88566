/**
 * A wheel from PyPI, fetched by the pip that is there: pip knows the user's index, proxy and certificates. Its temporary files are sent to
 * the target folder, so that the growing file can be measured (pip prints no progress when its output is not a terminal) and so that
 * nothing is left elsewhere when it is stopped.
 */
import { spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ForetokenError } from '@foretoken/tensor'
import { DiskFullError } from '@foretoken/weights/hub'

/** A command line that starts pip; its subcommand and options follow. */
export interface PipCommand {
  readonly command: string
  readonly arguments: readonly string[]
}

export const PIP_COMMANDS: readonly PipCommand[] = [
  { command: 'python3', arguments: ['-m', 'pip'] },
  { command: 'pip3', arguments: [] },
  { command: 'pip', arguments: [] },
  { command: 'python', arguments: ['-m', 'pip'] },
  { command: 'py', arguments: ['-m', 'pip'] },
]

/** pip is not installed, or could not fetch the package. */
class PipError extends ForetokenError {
  readonly code = 'pip'
}

export interface PipDownloadOptions {
  readonly commands: readonly PipCommand[]
  readonly packageName: string
  readonly version: string
  /** An empty folder; the wheel will lie in it. */
  readonly folder: string
  readonly neededBytes: number
  readonly signal: AbortSignal
  /** Size of the file that is growing, several times a second. */
  readonly onBytes: (bytes: number) => void
}

const LOOK_EVERY_MS = 200
const OUTPUT_KEPT = 4000
/** After this long without an end a stopped pip is ended the hard way. */
const STOP_MS = 3000

/**
 * Fetches `packageName==version` with the first pip that exists.
 *
 * @returns path of the wheel
 * @throws {PipError} when there is no pip or it fails, with the last line of what it said; {DiskFullError} when it ran out of disk
 */
export async function pipDownload(options: PipDownloadOptions): Promise<string> {
  const { commands, packageName, version, folder, neededBytes, signal } = options
  const requirement = `${packageName}==${version}`
  for (const command of commands) {
    signal.throwIfAborted()
    const outcome = await runPip(command, requirement, options)
    signal.throwIfAborted()
    if (outcome.kind === 'missing') continue
    if (outcome.kind === 'failed') {
      if (/No space left on device|Disk quota exceeded/.test(outcome.output))
        throw new DiskFullError({ folder, found: 'a full disk (said pip)', neededBytes })
      throw new PipError({ field: `pip download ${requirement}`, found: lastError(outcome), expected: 'the wheel' })
    }
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'))
    if (wheel === undefined) throw new PipError({ field: `pip download ${requirement}`, found: 'no file', expected: 'a wheel' })
    return join(folder, wheel)
  }
  const tried = commands.map(({ command, arguments: given }) => [command, ...given].join(' '))
  throw new PipError({ field: 'pip', found: `none of ${tried.join(', ')}`, expected: 'Python with pip' })
}

type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly status: string; readonly output: string }

async function runPip(pip: PipCommand, requirement: string, { folder, signal, onBytes }: PipDownloadOptions): Promise<Outcome> {
  // --no-cache-dir: the wheel is thrown away once it is unpacked, so a second copy in pip's cache would be a hundred hidden megabytes.
  const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--no-input', '--progress-bar=off', '--retries=2']
  const child = spawn(
    pip.command,
    [...pip.arguments, 'download', '--disable-pip-version-check', ...options, '--dest', folder, requirement],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder }, windowsHide: true },
  )
  let output = ''
  const keep = (text: string) => {
    output = (output + text).slice(-OUTPUT_KEPT)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  let hardStop: NodeJS.Timeout | undefined
  const stop = () => {
    child.kill()
    hardStop = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  }
  signal.addEventListener('abort', stop, { once: true })
  const looking = setInterval(() => void largestFile(folder).then(onBytes), LOOK_EVERY_MS)
  try {
    return await new Promise<Outcome>((resolve) => {
      child.once('error', (error) => {
        const isMissing = 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')
        resolve(isMissing ? { kind: 'missing' } : { kind: 'failed', status: String(error), output })
      })
      child.once('close', (code, killedBy) => {
        if (code === 0) resolve({ kind: 'done' })
        else if (/No module named pip/.test(output)) resolve({ kind: 'missing' })
        else resolve({ kind: 'failed', status: killedBy === null ? `exit status ${code}` : `ended by ${killedBy}`, output })
      })
    })
  } finally {
    clearInterval(looking)
    clearTimeout(hardStop)
    signal.removeEventListener('abort', stop)
  }
}

/** pip writes into a temporary folder first and copies at the end: the largest file is how far it is, the sum would count twice. */
async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  let largest = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const facts = await stat(join(entry.parentPath, entry.name)).catch(() => undefined)
    largest = Math.max(largest, facts?.size ?? 0)
  }
  return largest
}

function lastError({ status, output }: { status: string; output: string }): string {
  const lines = output.split('\n').map((line) => line.trim())
  const said = lines.findLast((line) => line.startsWith('ERROR')) ?? lines.findLast((line) => line !== '')
  return said === undefined ? status : `${status} (${said})`
}
