/**
 * The tokens that a draft's head keeps: those that texts use most (FR-Spec, Zhao et al. 2025). Frequencies of tokens fall so steeply that a few thousand of
 * them are most of a text, and a draft that cannot say the others is refused there and costs nothing else: what is lost is speed, never a token, for
 * the model that verifies keeps its whole head.
 */
import { ArgumentError } from '@foretoken/tensor'
import { checkWholeNumbers } from './whole-numbers.ts'

export interface FrequentTokensOptions {
  /** Tokens of the model: `lm.config.vocab`. */
  readonly vocab: number
  /** How many are kept; all where there are not more. */
  readonly count: number
  /** Kept in any case: stop tokens, for a draft ends with them. */
  readonly always?: Iterable<number>
}

/**
 * The most frequent tokens, for `loadCausalLM(source, { headTokens })`. Of equal ones the lower id, which in vocabularies that were built by merging is the
 * commoner one; so are those that fill up when the texts have too few.
 *
 * @param texts  [texts][tokens] ids of texts like those to be written, best of all outputs of the model itself
 * @returns      [count] ids, ascending
 * @throws {ArgumentError} for a number that is not a whole one >= 1, an id outside of the vocabulary, or more that are always kept than `count`
 */
export function frequentTokens(texts: Iterable<ArrayLike<number>>, { vocab, count, always = [] }: FrequentTokensOptions): Int32Array {
  checkWholeNumbers({ vocab, count })
  const uses = new Float64Array(vocab)
  const check = (field: string, id: number): number => {
    if (Number.isInteger(id) && id >= 0 && id < vocab) return id
    throw new ArgumentError({ field, found: String(id), expected: `an id from 0 to ${vocab - 1}` })
  }
  for (const text of texts) {
    for (let at = 0; at < text.length; at++) {
      const id = check(`texts[][${at}]`, text[at] ?? Number.NaN)
      uses[id] = (uses[id] ?? 0) + 1
    }
  }
  let kept = 0
  for (const id of new Set(always)) {
    uses[check('always', id)] = Number.POSITIVE_INFINITY
    kept++
  }
  if (kept > count) throw new ArgumentError({ field: 'always', found: `${kept} tokens`, expected: `at most count, ${count}` })
  const order = Array.from(uses.keys()).sort((a, b) => compare(uses[b] ?? 0, uses[a] ?? 0) || a - b)
  return Int32Array.from(order.slice(0, count)).sort()
}

/** Infinities among them. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b
}
