/**
 * The curve of the speed panel: tokens per second at each token, over the last few of them. Times of single tokens say little when
 * several tokens of a draft arrive together, so each point looks back over a window.
 */
const WINDOW_TOKENS = 8

/**
 * @param elapsedMs  of each token since the one before
 * @returns          [tokens] tokens per second over the last eight tokens; the first token, which waits for the prompt, is left out
 */
export function speedCurve(elapsedMs: readonly number[]): readonly number[] {
  const speeds: number[] = []
  let windowMs = 0
  for (let i = 1; i < elapsedMs.length; i++) {
    windowMs += elapsedMs[i] ?? 0
    if (i > WINDOW_TOKENS) windowMs -= elapsedMs[i - WINDOW_TOKENS] ?? 0
    const tokens = Math.min(i, WINDOW_TOKENS)
    speeds.push(windowMs > 0 ? (tokens * 1000) / windowMs : Number.NaN)
  }
  return speeds
}
