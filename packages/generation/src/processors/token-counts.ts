import type { LogitsProcessor, ProcessorState } from '../logits-processor.ts'

/** A processor that depends on how often each token occurred, in the whole sequence or in the output alone. */
export function countTokens(
  name: string,
  counted: 'prompt and output' | 'output',
  apply: (logits: Float32Array, counts: ReadonlyMap<number, number>) => void,
): LogitsProcessor {
  const state = (counts: Map<number, number>, pushed: number[]): ProcessorState => ({
    apply: (logits) => apply(logits, counts),
    push(token) {
      pushed.push(token)
      counts.set(token, (counts.get(token) ?? 0) + 1)
    },
    pop() {
      const token = pushed.pop()
      if (token === undefined) return
      const rest = (counts.get(token) ?? 0) - 1
      if (rest > 0) counts.set(token, rest)
      else counts.delete(token)
    },
    fork: () => state(new Map(counts), [...pushed]),
  })
  return {
    name,
    follow(prompt) {
      const counts = new Map<number, number>()
      if (counted === 'prompt and output') for (const token of prompt) counts.set(token, (counts.get(token) ?? 0) + 1)
      return state(counts, [])
    },
  }
}
