import { HARMLESS_PATTERNS } from './known-patterns.ts'
import { findAllLinear } from './linear-matcher.ts'
import { compileLinearProgram } from './linear-program.ts'
import { isPlainlyLinear, nativeSource } from './native-pattern.ts'
import { parsePattern } from './parse-pattern.ts'

/** Something that can be searched for in a text. */
export interface TextPattern {
  /** All matches from left to right without overlap, as [start, end, start, end, …] in UTF-16 code units. */
  findAll(text: string): number[]
}

/**
 * Compiles a regular expression of a tokenizer file. The search takes time proportional to the text for every pattern: those that
 * are known or easily seen to be harmless run in the native engine, all others in the linear matcher.
 *
 * @throws {PatternError} malformed, or a construct that is not supported
 */
export function compilePattern(source: string, field: string): TextPattern {
  const tree = parsePattern(source, field)
  const program = compileLinearProgram(tree, field)
  const linear: TextPattern = { findAll: (text) => findAllLinear(program, text) }
  if (!HARMLESS_PATTERNS.has(source) && !isPlainlyLinear(tree)) return linear
  const native = nativePattern(nativeSource(tree))
  return {
    findAll(text) {
      try {
        return native.findAll(text)
      } catch (error) {
        // The native engine keeps one position per repetition and can run out of stack on very long runs.
        if (error instanceof RangeError) return linear.findAll(text)
        throw error
      }
    },
  }
}

/** A fixed string. */
export function literalPattern(wanted: string): TextPattern {
  return {
    findAll(text) {
      const found: number[] = []
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) found.push(at, at + wanted.length)
      return found
    },
  }
}

/** A JavaScript pattern in the syntax of the `v` flag, run by the native engine. */
export function nativePattern(source: string): TextPattern {
  const next = new RegExp(source, 'gv')
  const here = new RegExp(source, 'yv')
  return {
    findAll(text) {
      const found: number[] = []
      let at = 0
      let lastEnd = -1
      while (at <= text.length) {
        // Most patterns match without gaps: testing in place makes no match object.
        here.lastIndex = at
        let start = at
        let end = here.test(text) ? here.lastIndex : -1
        if (end < 0) {
          next.lastIndex = at
          const match = next.exec(text)
          if (match === null) break
          start = match.index
          end = next.lastIndex
        }
        if (end > start || start !== lastEnd) {
          found.push(start, end)
          lastEnd = end
        }
        at = end > start ? end : start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1)
      }
      return found
    },
  }
}
