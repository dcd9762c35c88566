/**
 * What two regular languages have in common, or what one has and the other has not: both are walked side by side, byte by byte, and the pairs of
 * states become rules. So a string can have a pattern and a length, and a key can be anything but those that are taken.
 */
import { ConstraintError } from '../errors.ts'
import { type ByteAutomaton, byteAutomaton, DEAD } from './byte-automaton.ts'
import { choice, type Expression, type Grammar, NOTHING, rule, sequence } from './expression.ts'
import { grammarNetwork, UnfulfillableError } from './grammar-network.ts'

/** Pairs of states; what is larger is refused. */
const MOST_PAIRS = 20_000

/**
 * @param name   for errors
 * @param prefix  of the names of the new rules
 * @param keeps  'both': texts of a and b; 'first': texts of a that are not of b
 * @returns      the grammar's rules with a root, to be merged into another grammar
 * @throws {ConstraintError} when the languages are not regular or too large together
 */
export function languageProduct(name: string, prefix: string, a: Grammar, b: Grammar, keeps: 'both' | 'first'): Grammar {
  const first = automatonOf(name, a)
  const second = automatonOf(name, b)
  const names = new Map<string, string>()
  const waiting: { readonly left: number; readonly right: number; readonly ruleName: string }[] = []
  const nameOf = (left: number, right: number): string => {
    const key = `${left} ${right}`
    const known = names.get(key)
    if (known !== undefined) return known
    if (names.size === MOST_PAIRS) {
      throw new ConstraintError({ field: name, found: `more than ${MOST_PAIRS} states of two rules together`, expected: 'simpler rules' })
    }
    const ruleName = names.size === 0 ? prefix : `${prefix} ${names.size}`
    names.set(key, ruleName)
    waiting.push({ left, right, ruleName })
    return ruleName
  }
  nameOf(first.start, second.start)
  const rules = new Map<string, Expression>()
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const { left, right, ruleName } = pair
    const isEnd = first.mayEnd(left) && second.mayEnd(right) === (keeps === 'both')
    const parts: Expression[] = isEnd ? [NOTHING] : []
    let low = 0
    let target: string | undefined
    for (let byte = 0; byte <= 256; byte++) {
      const nextLeft = byte === 256 ? DEAD : first.step(left, byte)
      const nextRight = byte === 256 ? DEAD : second.step(right, byte)
      const next = nextLeft === DEAD || (keeps === 'both' && nextRight === DEAD) ? undefined : nameOf(nextLeft, nextRight)
      if (next === target) continue
      if (target !== undefined) parts.push(sequence({ kind: 'byte', low, high: byte - 1 }, rule(target)))
      low = byte
      target = next
    }
    rules.set(ruleName, choice(...parts))
  }
  return { root: prefix, rules }
}

/** Of a grammar that no text matches: an automaton that is dead from its first byte. */
function automatonOf(name: string, grammar: Grammar): ByteAutomaton {
  try {
    return byteAutomaton(name, grammarNetwork(name, grammar))
  } catch (error) {
    if (error instanceof UnfulfillableError) return { start: 0, step: () => DEAD, mayEnd: () => false, size: 1 }
    throw error
  }
}
