/** The k best tokens of a row, best first, the lower id first among equals. */
export interface BestTokens {
  readonly tokens: Int32Array
  readonly logits: Float32Array
}

/**
 * One pass that inserts into a sorted list; in the usual case few logits enter it. Long lists are sorted instead, since
 * insertion costs k per entry.
 *
 * @param logits  [vocab], without NaN
 * @param k       from 0 to vocab
 */
export function bestTokens(logits: Float32Array, k: number): BestTokens {
  return k > MAX_INSERTED ? bySorting(logits, k) : byInsertion(logits, k)
}

const MAX_INSERTED = 256

function byInsertion(row: Float32Array, k: number): BestTokens {
  const tokens = new Int32Array(k)
  const logits = new Float32Array(k)
  let held = 0
  let least = Number.NEGATIVE_INFINITY
  for (let i = 0; i < row.length; i++) {
    const logit = row[i] ?? 0
    if (held === k && logit <= least) continue
    if (k === 0) break
    let place = held < k ? held++ : k - 1
    while (place > 0 && (logits[place - 1] ?? 0) < logit) {
      logits[place] = logits[place - 1] ?? 0
      tokens[place] = tokens[place - 1] ?? 0
      place--
    }
    logits[place] = logit
    tokens[place] = i
    least = logits[held - 1] ?? 0
  }
  return { tokens, logits }
}

function bySorting(row: Float32Array, k: number): BestTokens {
  const order = new Int32Array(row.length)
  for (let i = 0; i < order.length; i++) order[i] = i
  order.sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b)
  const tokens = order.slice(0, k)
  return { tokens, logits: Float32Array.from(tokens, (token) => row[token] ?? 0) }
}
