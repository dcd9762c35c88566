import { ArgumentError } from '@foretoken/tensor'
import type { Constraint } from './constraint.ts'
import { choice, text } from './expression.ts'
import { constraintOfGrammar } from './grammar-constraint.ts'

/**
 * An output that is one of these texts, in whatever tokens the model spells it.
 *
 * @param texts  at least one; the empty text is legal: an output that ends at once
 * @throws {ArgumentError} for no text at all
 */
export function choiceConstraint(texts: readonly string[]): Constraint {
  if (texts.length === 0) throw new ArgumentError({ field: 'choices', found: 'no text', expected: 'at least one' })
  const broken = texts.find((each) => !each.isWellFormed())
  if (broken !== undefined)
    throw new ArgumentError({ field: 'choices', found: 'a text with half a character', expected: 'whole characters' })
  return constraintOfGrammar('choice', { root: 'root', rules: new Map([['root', choice(...texts.map(text))]]) })
}
