/**
 * Numbers between bounds, written out: digits are compared with those of the bounds from left to right, and what is known so far is a rule of the
 * grammar. Without exponents, and with at most 15 digits, so that different texts are different doubles and comparing texts compares numbers.
 */
import { choice, type Expression, type Grammar, NEVER, NOTHING, rule, sequence, text } from './expression.ts'

export interface NumberBounds {
  readonly least: number
  readonly greatest: number
  readonly excludesLeast: boolean
  readonly excludesGreatest: boolean
  readonly isInteger: boolean
  /** Of integers: 1 for all. */
  readonly multipleOf: number
}

const MOST_DIGITS = 15

/** A bound of a magnitude, digit by digit. */
interface Bound {
  readonly whole: string
  readonly fraction: string
  readonly isExcluded: boolean
}

/** Whether the digits so far are less than those of a bound, the same, or more. */
type Order = -1 | 0 | 1

/** Whether bounds can be compared with texts of at most 15 digits. */
export function isComparable(bound: number): boolean {
  return !Number.isFinite(bound) || Math.abs(bound) >= 1e15 || decimalOf(Math.abs(bound)) !== undefined
}

/** @param prefix  of the names of the rules */
export function numberGrammar(prefix: string, bounds: NumberBounds): Grammar {
  const { least, greatest, excludesLeast, excludesGreatest } = bounds
  const rules = new Map<string, Expression>()
  const parts: Expression[] = []
  if (greatest >= 0) {
    const low = least > 0 ? boundOf(least, excludesLeast) : least === 0 && excludesLeast ? boundOf(0, true) : undefined
    parts.push(magnitude(`${prefix} positive`, low, boundOf(greatest, excludesGreatest), bounds, rules))
  }
  if (least < 0) {
    const low = greatest < 0 ? boundOf(-greatest, excludesGreatest) : boundOf(0, true)
    parts.push(sequence(text('-'), magnitude(`${prefix} negative`, low, boundOf(-least, excludesLeast), bounds, rules)))
  }
  rules.set(prefix, choice(...parts))
  return { root: prefix, rules }
}

/** Undefined: no number of 15 digits reaches it. */
function boundOf(value: number, isExcluded: boolean): Bound | undefined {
  const decimal = value >= 1e15 ? undefined : decimalOf(value)
  return decimal === undefined ? undefined : { ...decimal, isExcluded }
}

function decimalOf(value: number): { whole: string; fraction: string } | undefined {
  const shortest = String(value)
  const written = shortest.includes('e') ? value.toFixed(MOST_DIGITS) : shortest
  const [whole = '', fraction = ''] = written.split('.')
  const digits = fraction.replace(/0+$/, '')
  return Number(written) === value && whole.length + digits.length <= MOST_DIGITS + 2 ? { whole, fraction: digits } : undefined
}

/** Numbers without a sign from `low` to `high`. */
function magnitude(
  prefix: string,
  low: Bound | undefined,
  high: Bound | undefined,
  { isInteger, multipleOf, least, greatest }: NumberBounds,
  rules: Map<string, Expression>,
): Expression {
  // a bound that no number of so many digits reaches allows everything, or nothing
  if ((least >= 1e15 && low === undefined) || (greatest <= -1e15 && low === undefined)) return NEVER
  const isWithin = (toLow: Order, toHigh: Order) =>
    (low === undefined || toLow > 0 || (toLow === 0 && !low.isExcluded)) &&
    (high === undefined || toHigh < 0 || (toHigh === 0 && !high.isExcluded))
  const define = (name: string, make: () => Expression): Expression => {
    if (!rules.has(name)) {
      rules.set(name, NEVER)
      rules.set(name, make())
    }
    return rule(name)
  }
  const digits = (from: number, next: (digit: number) => Expression): Expression[] =>
    Array.from({ length: 10 - from }, (_, i) => sequence(text(String(from + i)), next(from + i)))

  /** Behind so many digits of the whole part; orders are those of equally many digits of the bounds. */
  const whole = (count: number, toLow: Order, toHigh: Order, remainder: number): Expression =>
    define(`${prefix} ${count} ${toLow} ${toHigh} ${remainder}`, () => {
      const atEnd = [wholeOrder(low, count, toLow), wholeOrder(high, count, toHigh)] as const
      const parts: Expression[] = []
      if (remainder === 0 && isWithin(endOrder(low, 0, atEnd[0]), endOrder(high, 0, atEnd[1]))) parts.push(NOTHING)
      if (!isInteger && count < MOST_DIGITS) parts.push(sequence(text('.'), fraction(0, count, atEnd[0], atEnd[1])))
      if (count < MOST_DIGITS) {
        const next = (digit: number) =>
          whole(
            count + 1,
            nextOrder(toLow, digit, low?.whole[count]),
            nextOrder(toHigh, digit, high?.whole[count]),
            (remainder * 10 + digit) % multipleOf,
          )
        parts.push(...digits(0, next))
      }
      return choice(...parts)
    })
  /** Behind so many digits of the fraction. */
  const fraction = (place: number, count: number, toLow: Order, toHigh: Order): Expression =>
    define(`${prefix} .${place} ${count} ${toLow} ${toHigh}`, () => {
      const parts: Expression[] = []
      if (place > 0 && isWithin(endOrder(low, place, toLow), endOrder(high, place, toHigh))) parts.push(NOTHING)
      if (count < MOST_DIGITS) {
        const next = (digit: number) =>
          fraction(
            place + 1,
            count + 1,
            nextOrder(toLow, digit, low?.fraction[place] ?? '0'),
            nextOrder(toHigh, digit, high?.fraction[place] ?? '0'),
          )
        parts.push(...digits(0, next))
      }
      return choice(...parts)
    })

  const firstOrder = (bound: Bound | undefined, digit: number) => nextOrder(0, digit, bound?.whole[0])
  const zero = (): Expression => {
    const toLow = wholeOrder(low, 1, firstOrder(low, 0))
    const toHigh = wholeOrder(high, 1, firstOrder(high, 0))
    const parts: Expression[] = []
    if (isWithin(endOrder(low, 0, toLow), endOrder(high, 0, toHigh))) parts.push(NOTHING)
    if (!isInteger) parts.push(sequence(text('.'), fraction(0, 1, toLow, toHigh)))
    return sequence(text('0'), choice(...parts))
  }
  return choice(zero(), ...digits(1, (digit) => whole(1, firstOrder(low, digit), firstOrder(high, digit), digit % multipleOf)))
}

/** A first difference decides. */
function nextOrder(order: Order, digit: number, other: string | undefined): Order {
  if (order !== 0 || other === undefined) return order
  const difference = digit - Number(other)
  return difference < 0 ? -1 : difference > 0 ? 1 : 0
}

/** Of whole parts: the longer one is greater. */
function wholeOrder(bound: Bound | undefined, count: number, order: Order): Order {
  if (bound === undefined || count === bound.whole.length) return order
  return count < bound.whole.length ? -1 : 1
}

/** Of numbers that end here, where the bound may go on. */
function endOrder(bound: Bound | undefined, place: number, order: Order): Order {
  return order === 0 && bound !== undefined && bound.fraction.length > place ? -1 : order
}
