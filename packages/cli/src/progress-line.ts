/**
 * One line of the terminal that shows how far a download is: bytes, percent, rate, remaining time. On a terminal the line is rewritten in
 * place; elsewhere (a log, a pipe) a line is written for each tenth, because a log cannot be rewritten.
 */

export interface ProgressState {
  readonly label: string
  readonly receivedBytes: number
  /** Undefined when the sender did not say. */
  readonly totalBytes?: number | undefined
  readonly bytesPerSecond: number
}

export interface ProgressLine {
  show(state: ProgressState): void
  /** Leaves the last state on the screen and moves on to the next line. Does nothing when nothing was shown. */
  end(): void
}

/** What is needed of `process.stderr`. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** A terminal is rewritten at most this often. */
const EVERY_MS = 80
/** Without a known total a log gets one line for so many bytes. */
const LOG_BYTES = 10_000_000
const BAR_WIDTH = 20
const CLEAR_TO_END = '\u001b[K'

/** @param clock  milliseconds, growing */
export function progressLine(stream: ProgressStream, clock: () => number = () => performance.now()): ProgressLine {
  return stream.isTTY === true ? rewrittenLine(stream, clock) : loggedLines(stream)
}

function rewrittenLine(stream: ProgressStream, clock: () => number): ProgressLine {
  let shownMs = Number.NEGATIVE_INFINITY
  let latest: ProgressState | undefined
  const draw = (state: ProgressState) => {
    // One column stays free: some terminals wrap as soon as the last one is written.
    const width = Math.max(20, (stream.columns ?? 80) - 1)
    stream.write(`\r${fitted(state, width)}${CLEAR_TO_END}`)
  }
  return {
    show(state) {
      const isNewLabel = state.label !== latest?.label
      latest = state
      if (!isNewLabel && clock() - shownMs < EVERY_MS) return
      shownMs = clock()
      draw(state)
    },
    end() {
      if (latest === undefined) return
      draw(latest)
      stream.write('\n')
      latest = undefined
    },
  }
}

function loggedLines(stream: ProgressStream): ProgressLine {
  let label: string | undefined
  let shownStep = 0
  return {
    show(state) {
      if (state.label !== label) {
        label = state.label
        shownStep = 0
      }
      const { receivedBytes, totalBytes } = state
      const step =
        totalBytes === undefined ? Math.floor(receivedBytes / LOG_BYTES) : Math.floor((10 * receivedBytes) / Math.max(1, totalBytes))
      if (step <= shownStep) return
      shownStep = step
      stream.write(`${[state.label, ...facts(state)].join('  ')}\n`)
    },
    end() {
      label = undefined
    },
  }
}

/** Label, bar and facts; what does not fit goes in the order bar, remaining time, label. */
function fitted(state: ProgressState, width: number): string {
  const parts = facts(state)
  const full = [state.label, bar(state), ...parts].filter((part) => part !== '').join('  ')
  if (full.length <= width) return full
  const withoutBar = [state.label, ...parts].join('  ')
  if (withoutBar.length <= width) return withoutBar
  const short = parts.slice(0, 3).join('  ')
  const room = width - short.length - 2
  if (room < 8) return short.slice(0, width)
  return `${state.label.length > room ? `${state.label.slice(0, room - 1)}…` : state.label}  ${short}`
}

function bar({ receivedBytes, totalBytes }: ProgressState): string {
  if (totalBytes === undefined) return ''
  const filled = Math.floor(BAR_WIDTH * share(receivedBytes, totalBytes))
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`
}

function facts({ receivedBytes, totalBytes, bytesPerSecond }: ProgressState): string[] {
  const rate = bytesPerSecond > 0 ? [`${formatBytes(bytesPerSecond)}/s`] : []
  if (totalBytes === undefined) return [formatBytes(receivedBytes), ...rate]
  const percent = `${Math.floor(100 * share(receivedBytes, totalBytes))} %`
  const restBytes = totalBytes - receivedBytes
  const rest = bytesPerSecond > 0 && restBytes > 0 ? [`${formatDuration(restBytes / bytesPerSecond)} left`] : []
  return [`${formatBytes(receivedBytes)} of ${formatBytes(totalBytes)}`, percent, ...rate, ...rest]
}

function share(receivedBytes: number, totalBytes: number): number {
  return totalBytes === 0 ? 1 : Math.min(1, receivedBytes / totalBytes)
}

/** Decimal units, as disks and networks count: 98,362,432 is `98.4 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(1)} ${units[unit]}`
}

/** `48 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}
