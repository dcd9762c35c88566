/**
 * What a regular expression of a tokenizer file says, after parsing. The files are written for Oniguruma (its Ruby syntax); the tree
 * is neutral, so that it can be written out as a JavaScript `RegExp` or be run by the linear matcher.
 */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | RepeatNode
  | { readonly kind: 'look'; readonly body: PatternNode; readonly isAhead: boolean; readonly isNegative: boolean }
  | { readonly kind: 'anchor'; readonly at: AnchorKind }

export interface RepeatNode {
  readonly kind: 'repeat'
  readonly body: PatternNode
  readonly least: number
  /** Infinity when there is no limit. */
  readonly most: number
  readonly mode: 'greedy' | 'lazy' | 'possessive'
}

export type AnchorKind = 'text-start' | 'text-end' | 'last-line-end' | 'line-start' | 'line-end' | 'word-boundary' | 'no-word-boundary'

/** A set of characters, as the source of a character class for the `v` flag, brackets included. */
export interface CharacterSet {
  readonly source: string
}

/** Fewest and most characters that a node matches; look-arounds and anchors match none. */
export function lengthsOf(node: PatternNode): { least: number; most: number } {
  switch (node.kind) {
    case 'set':
      return { least: 1, most: 1 }
    case 'sequence': {
      let least = 0
      let most = 0
      for (const item of node.items) {
        const lengths = lengthsOf(item)
        least += lengths.least
        most += lengths.most
      }
      return { least, most }
    }
    case 'choice': {
      const lengths = node.options.map(lengthsOf)
      return { least: Math.min(...lengths.map((l) => l.least)), most: Math.max(...lengths.map((l) => l.most)) }
    }
    case 'repeat': {
      const body = lengthsOf(node.body)
      return { least: body.least * node.least, most: body.most === 0 ? 0 : body.most * node.most }
    }
    default:
      return { least: 0, most: 0 }
  }
}
