/** Bytes per second over the last few seconds: an average since the start would hide that a connection has become slow. */
export interface TransferRate {
  /** Notes bytes that have just come through the network. */
  add(bytes: number): void
  bytesPerSecond(): number
}

const WINDOW_MS = 3000

/** @param clock  milliseconds, growing */
export function transferRate(clock: () => number): TransferRate {
  const samples: { atMs: number; bytes: number }[] = []
  const startMs = clock()
  const forget = (nowMs: number) => {
    while (samples[0] !== undefined && nowMs - samples[0].atMs > WINDOW_MS) samples.shift()
  }
  return {
    add(bytes) {
      const nowMs = clock()
      forget(nowMs)
      const last = samples.at(-1)
      // Chunks come thousands per second: those of the same tenth of a second are one sample.
      if (last !== undefined && nowMs - last.atMs < 100) last.bytes += bytes
      else samples.push({ atMs: nowMs, bytes })
    },
    bytesPerSecond() {
      const nowMs = clock()
      forget(nowMs)
      const spanMs = Math.min(WINDOW_MS, nowMs - startMs)
      if (spanMs <= 0) return 0
      return (samples.reduce((sum, { bytes }) => sum + bytes, 0) * 1000) / spanMs
    },
  }
}
