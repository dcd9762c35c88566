import type { AnchorKind, PatternNode } from './pattern-tree.ts'

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]'
const ANCHORS: Readonly<Record<AnchorKind, string>> = {
  'text-start': '(?<![\\p{Any}])',
  'text-end': '(?![\\p{Any}])',
  'last-line-end': '(?=\\n?(?![\\p{Any}]))',
  'line-start': '(?:(?<![\\p{Any}])|(?<=\\n)(?=[\\p{Any}]))',
  'line-end': '(?=\\n|(?![\\p{Any}]))',
  'word-boundary': `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`,
  'no-word-boundary': `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`,
}

/** The tree as the source of a JavaScript `RegExp` with the `v` flag. */
export function nativeSource(node: PatternNode): string {
  let captures = 0
  const write = (part: PatternNode): string => {
    switch (part.kind) {
      case 'set':
        return part.set.source
      case 'sequence':
        return part.items.map((item) => (item.kind === 'choice' ? `(?:${write(item)})` : write(item))).join('')
      case 'choice':
        return part.options.map(write).join('|')
      case 'look':
        return `(?${part.isAhead ? '' : '<'}${part.isNegative ? '!' : '='}${write(part.body)})`
      case 'anchor':
        return ANCHORS[part.at]
      case 'repeat': {
        const body = part.body.kind === 'set' ? write(part.body) : `(?:${write(part.body)})`
        const repeated = `${body}{${part.least},${part.most === Number.POSITIVE_INFINITY ? '' : part.most}}`
        if (part.mode === 'lazy') return `${repeated}?`
        if (part.mode === 'greedy') return repeated
        // JavaScript has no possessive repetition; a look-ahead is never entered again, so its capture has the same effect.
        captures++
        return `(?=(${repeated}))\\${captures}`
      }
    }
  }
  return write(node)
}

const MAX_WORK = 256

/**
 * Whether the native engine needs time proportional to the text. True when, in each top-level alternative, everything but the last
 * part can match in few ways and over few characters, and the last part is at most a repetition of one set: then no position is
 * looked at more than a bounded number of times before it is either consumed or passed.
 */
export function isPlainlyLinear(node: PatternNode): boolean {
  const options = node.kind === 'choice' ? node.options : [node]
  return options.every((option) => {
    const items = option.kind === 'sequence' ? option.items : [option]
    const last = items.at(-1)
    const isRun = last !== undefined && last.kind === 'repeat' && last.body.kind === 'set'
    const bounded = isRun ? items.slice(0, -1) : items
    const ways = bounded.reduce((product, item) => product * waysOf(item), 1)
    const reach = bounded.reduce((sum, item) => sum + reachOf(item), 1)
    return ways * reach <= MAX_WORK
  })
}

/** In how many ways a part can match from one position, at most. */
function waysOf(node: PatternNode): number {
  switch (node.kind) {
    case 'sequence':
      return node.items.reduce((product, item) => product * waysOf(item), 1)
    case 'choice':
      return node.options.reduce((sum, option) => sum + waysOf(option), 0)
    case 'look':
      return waysOf(node.body)
    case 'repeat':
      return (node.most - node.least + 1) * waysOf(node.body) ** node.most
    default:
      return 1
  }
}

/** How many characters a part can look at, at most. */
function reachOf(node: PatternNode): number {
  switch (node.kind) {
    case 'sequence':
      return node.items.reduce((sum, item) => sum + reachOf(item), 0)
    case 'choice':
      return node.options.reduce((sum, option) => sum + reachOf(option), 0)
    case 'look':
      return reachOf(node.body)
    case 'repeat':
      return node.most * reachOf(node.body)
    default:
      return 1
  }
}
