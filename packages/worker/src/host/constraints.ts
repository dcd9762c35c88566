/** Constraints made from what was sent. The latest are kept, with what they have learned about the vocabulary. */
import {
  type Constraint,
  choiceConstraint,
  grammarConstraint,
  jsonConstraint,
  jsonSchemaConstraint,
  regexConstraint,
} from '@foretoken/generation'
import { ArgumentError } from '@foretoken/tensor'
import type { ConstraintChoice } from '../constraint-choice.ts'

const MOST_KEPT = 16

export class Constraints {
  readonly #made = new Map<string, Constraint>()

  /** @throws {ArgumentError} for a kind that is not known, and what the constraint throws */
  of(choice: ConstraintChoice): Constraint {
    const key = JSON.stringify(choice)
    const constraint = this.#made.get(key) ?? constraintOf(choice)
    // to the end: the first is the one that was not asked for the longest time
    this.#made.delete(key)
    this.#made.set(key, constraint)
    for (const oldest of [...this.#made.keys()].slice(0, -MOST_KEPT)) this.#made.delete(oldest)
    return constraint
  }
}

function constraintOf(choice: ConstraintChoice): Constraint {
  switch (choice.kind) {
    case 'json':
      return jsonConstraint(choice)
    case 'json-schema':
      return jsonSchemaConstraint(choice.schema, choice)
    case 'regex':
      return regexConstraint(choice.pattern)
    case 'grammar':
      return grammarConstraint(choice.grammar)
    case 'choice':
      return choiceConstraint(choice.texts)
    default:
      return unknownConstraint(choice)
  }
}

function unknownConstraint(choice: unknown): never {
  const expected = "{ kind: 'json' | 'json-schema' | 'regex' | 'grammar' | 'choice', … }"
  throw new ArgumentError({ field: 'constraint', found: JSON.stringify(choice) ?? String(choice), expected })
}
