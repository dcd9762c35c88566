/**
 * Grammars as plain data: named rules over expressions. JSON Schema, EBNF, regular expressions and choices all become one, and the automaton
 * that masks tokens knows nothing else. Rules may call each other in any way except at their own beginning (left recursion).
 */

/** Code points, both ends included. */
export type CodePointRange = readonly [low: number, high: number]

export type Expression =
  /** One byte. */
  | { readonly kind: 'byte'; readonly low: number; readonly high: number }
  /** One character. */
  | { readonly kind: 'character'; readonly ranges: readonly CodePointRange[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  /** Without parts: nothing matches. */
  | { readonly kind: 'choice'; readonly parts: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly part: Expression; readonly least: number; readonly most: number }
  | { readonly kind: 'rule'; readonly name: string }

export interface Grammar {
  readonly root: string
  readonly rules: ReadonlyMap<string, Expression>
}

export const MAX_CODE_POINT = 0x10ffff

export const text = (value: string): Expression => ({ kind: 'text', text: value })
export const character = (...ranges: CodePointRange[]): Expression => ({ kind: 'character', ranges })
export const sequence = (...parts: Expression[]): Expression => ({ kind: 'sequence', parts })
export const choice = (...parts: Expression[]): Expression => ({ kind: 'choice', parts })
export const repeat = (part: Expression, least: number, most = Number.POSITIVE_INFINITY): Expression => ({
  kind: 'repeat',
  part,
  least,
  most,
})
export const optional = (part: Expression): Expression => repeat(part, 0, 1)
export const rule = (name: string): Expression => ({ kind: 'rule', name })
/** Matches the empty text. */
export const NOTHING: Expression = sequence()
/** Matches no text. */
export const NEVER: Expression = choice()

/** The ranges that are left of all code points. */
export function complementOf(ranges: readonly CodePointRange[]): CodePointRange[] {
  const left: CodePointRange[] = []
  let next = 0
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > next) left.push([next, low - 1])
    next = Math.max(next, high + 1)
  }
  if (next <= MAX_CODE_POINT) left.push([next, MAX_CODE_POINT])
  return left
}

/** What two lists of ranges have in common. */
export function commonRanges(a: readonly CodePointRange[], b: readonly CodePointRange[]): CodePointRange[] {
  return a.flatMap(([aLow, aHigh]) =>
    b.flatMap(([bLow, bHigh]): CodePointRange[] => {
      const low = Math.max(aLow, bLow)
      const high = Math.min(aHigh, bHigh)
      return low <= high ? [[low, high]] : []
    }),
  )
}
