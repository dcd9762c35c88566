/** Constraints by what they say, because a constraint of functions cannot be sent: those of `@foretoken/generation`. */
import type { JsonConstraintOptions } from '@foretoken/generation'

/** Equal choices share one constraint: what it has found out about the vocabulary is kept. */
export type ConstraintChoice =
  /** Any JSON value, or with `onlyObjects` any object. */
  | ({ readonly kind: 'json'; readonly onlyObjects?: boolean } & JsonConstraintOptions)
  /** JSON that is valid by a schema, parsed JSON itself. */
  | ({ readonly kind: 'json-schema'; readonly schema: unknown } & JsonConstraintOptions)
  /** What a regular expression matches as a whole. */
  | { readonly kind: 'regex'; readonly pattern: string }
  /** What a grammar matches from its rule `root`. */
  | { readonly kind: 'grammar'; readonly grammar: string }
  /** One of these texts. */
  | { readonly kind: 'choice'; readonly texts: readonly string[] }
