import { TokenizerInputError } from '../errors.ts'
import type { LinearProgram, LookBranch, Step } from './linear-program.ts'
import type { AnchorKind } from './pattern-tree.ts'

/**
 * A backtracking matcher that never tries the same thing twice: it remembers, as one bit per (choice, position), which choices have
 * failed, also from one starting point to the next. It finds what a backtracking engine finds (first alternative first, greedy as
 * written) in time and memory proportional to length of the text times size of the pattern, for every pattern, `(a+)+b` included.
 * The idea is the bit-state matcher of RE2 (Cox 2010, "Regular Expression Matching in the Wild"), here with look-around.
 * Several times slower than the native engine on harmless patterns (test/benchmarks/encode.ts), hence only used where that one could blow up.
 */
export function findAllLinear(program: LinearProgram, text: string): number[] {
  const run = startRun(program, text)
  const found: number[] = []
  let lastEnd = -1
  for (let start = 0; start <= text.length; ) {
    const end = matchFrom(run, program.entry, start)
    if (end < 0 || (end === start && start === lastEnd)) {
      start += sizeAt(text, start)
      continue
    }
    found.push(start, end)
    lastEnd = end
    // Choices on the way to this match are marked though they did not fail; of their positions only the last can be met again.
    for (let index = 0; index < program.splitCount; index++) clearBit(run.failed, end * program.splitCount + index)
    start = end === start ? start + sizeAt(text, start) : end
  }
  return found
}

const MAX_MEMORY_BITS = 2 ** 31

interface Run {
  readonly text: string
  readonly steps: readonly Step[]
  readonly splitCount: number
  /** Choices tried at a position, whose continuation did not match. */
  readonly failed: Uint32Array
  /** Choices inside of look-arounds whose continuation matched. */
  readonly succeeded: Uint32Array
  /** The last span of each possessive repetition: [start, end). */
  readonly spans: Float64Array
}

function startRun({ steps, splitCount, spanCount }: LinearProgram, text: string): Run {
  const bits = (text.length + 1) * splitCount
  if (bits > MAX_MEMORY_BITS)
    throw new TokenizerInputError({
      found: `a text of ${text.length} characters for a pattern of ${splitCount} choices`,
      expected: 'a shorter text',
    })
  const words = Math.ceil(bits / 32)
  const hasLooks = steps.some((step) => step.op === 'look')
  return {
    text,
    steps,
    splitCount,
    failed: new Uint32Array(words),
    succeeded: new Uint32Array(hasLooks ? words : 0),
    spans: new Float64Array(spanCount * 2).fill(-1),
  }
}

/** The end of the preferred match that begins at `start`, or -1. */
function matchFrom(run: Run, entry: number, start: number): number {
  const { steps, splitCount, failed } = run
  const stack = [entry, start]
  while (stack.length > 0) {
    let at = stack.pop() ?? 0
    let pc = stack.pop() ?? 0
    for (;;) {
      const step = steps[pc]
      if (step === undefined || step.op === 'match') return at
      if (step.op === 'jump') pc = step.target
      else if (step.op === 'split') {
        const bit = at * splitCount + step.index
        if (hasBit(failed, bit)) break
        setBit(failed, bit)
        stack.push(step.second, at)
        pc = step.first
      } else {
        at = advance(run, step, at)
        if (at < 0) break
        pc++
      }
    }
  }
  return -1
}

/**
 * Whether a branch of a look-around matches at `start`. Answers are wanted at many positions, so here success is remembered as well:
 * the choices on the way to a match are kept in a trail, cut back whenever the search goes back.
 */
function branchMatches(run: Run, entry: number, start: number): boolean {
  const { steps, splitCount, failed, succeeded } = run
  const stack = [entry, start, 0]
  const trail: number[] = []
  const succeed = () => {
    for (const bit of trail) setBit(succeeded, bit)
    return true
  }
  while (stack.length > 0) {
    trail.length = stack.pop() ?? 0
    let at = stack.pop() ?? 0
    let pc = stack.pop() ?? 0
    for (;;) {
      const step = steps[pc]
      if (step === undefined || step.op === 'match') return succeed()
      if (step.op === 'jump') pc = step.target
      else if (step.op === 'split') {
        const bit = at * splitCount + step.index
        if (hasBit(succeeded, bit)) return succeed()
        if (hasBit(failed, bit)) break
        setBit(failed, bit)
        trail.push(bit)
        stack.push(step.second, at, trail.length)
        pc = step.first
      } else {
        at = advance(run, step, at)
        if (at < 0) break
        pc++
      }
    }
  }
  return false
}

/** The position after a step that needs no choice, or -1. */
function advance(run: Run, step: Step, at: number): number {
  const { text } = run
  switch (step.op) {
    case 'set': {
      const codePoint = text.codePointAt(at)
      return codePoint !== undefined && step.test.has(codePoint) ? at + (codePoint > 0xffff ? 2 : 1) : -1
    }
    case 'span':
      return spanEnd(run, step, at)
    case 'look':
      return step.branches.some((branch) => looksTrue(run, branch, at)) !== step.isNegative ? at : -1
    case 'anchor':
      return holds(step.at, text, at) ? at : -1
    default:
      return -1
  }
}

function looksTrue(run: Run, { entry, back }: LookBranch, at: number): boolean {
  let start = at
  for (let i = 0; i < back; i++) {
    if (start === 0) return false
    start -= isLowSurrogate(run.text.charCodeAt(start - 1)) ? 2 : 1
  }
  return branchMatches(run, entry, start)
}

/** An unlimited possessive run is measured once: from any position inside of it, it ends where it ended. */
function spanEnd({ text, spans }: Run, step: Step & { op: 'span' }, at: number): number {
  const isUnlimited = step.most === Number.POSITIVE_INFINITY
  const slot = step.index * 2
  const isInside = isUnlimited && at >= (spans[slot] ?? -1) && at < (spans[slot + 1] ?? -1)
  let end = isInside ? (spans[slot + 1] ?? at) : at
  let count = 0
  if (!isInside) {
    for (; count < step.most; count++) {
      const codePoint = text.codePointAt(end)
      if (codePoint === undefined || !step.test.has(codePoint)) break
      end += codePoint > 0xffff ? 2 : 1
    }
    spans[slot] = at
    spans[slot + 1] = isUnlimited ? end : -1
  } else {
    for (let i = at; i < end && count < step.least; count++) i += sizeAt(text, i)
  }
  return count >= step.least ? end : -1
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/v

function isWordAt(text: string, at: number): boolean {
  const codePoint = text.codePointAt(at)
  return codePoint !== undefined && WORD.test(String.fromCodePoint(codePoint))
}

function holds(anchor: AnchorKind, text: string, at: number): boolean {
  switch (anchor) {
    case 'text-start':
      return at === 0
    case 'text-end':
      return at === text.length
    case 'last-line-end':
      return at === text.length || (at === text.length - 1 && text[at] === '\n')
    case 'line-start':
      return at === 0 || (text[at - 1] === '\n' && at < text.length)
    case 'line-end':
      return at === text.length || text[at] === '\n'
    default: {
      const before = at > 0 && isWordAt(text, at - (isLowSurrogate(text.charCodeAt(at - 1)) ? 2 : 1))
      return (before !== isWordAt(text, at)) === (anchor === 'word-boundary')
    }
  }
}

function isLowSurrogate(codeUnit: number): boolean {
  return codeUnit >= 0xdc00 && codeUnit <= 0xdfff
}

function sizeAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

function hasBit(bits: Uint32Array, index: number): boolean {
  return (((bits[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1
}

function setBit(bits: Uint32Array, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31))
}

function clearBit(bits: Uint32Array, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) & ~(1 << (index & 31))
}
