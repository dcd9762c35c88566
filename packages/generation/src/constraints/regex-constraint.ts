import type { Constraint } from './constraint.ts'
import type { Grammar } from './expression.ts'
import { constraintOfGrammar } from './grammar-constraint.ts'
import { languageProduct } from './language-product.ts'
import { parsePattern } from './regular-expression.ts'

/**
 * An output that a regular expression matches as a whole; `^` and `$` may be left out.
 *
 * @param pattern  JavaScript's syntax with the `u` flag, without back references, look-around (but look-ahead at the very beginning) and \p
 * @throws {ConstraintError} for a mistake, what is not supported, and a pattern that nothing matches
 */
export function regexConstraint(pattern: string): Constraint {
  const { expression, ahead } = parsePattern(pattern, 'pattern', true)
  const whole: Grammar = { root: 'root', rules: new Map([['root', expression]]) }
  const grammar = ahead.reduce<Grammar>(
    (sum, { expression: other, isForbidden }, i) =>
      languageProduct('pattern', `after ${i}`, sum, { root: 'root', rules: new Map([['root', other]]) }, isForbidden ? 'first' : 'both'),
    whole,
  )
  return constraintOfGrammar('pattern', grammar)
}
