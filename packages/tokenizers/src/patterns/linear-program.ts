import { PatternError } from '../errors.ts'
import { type CharacterTest, makeCharacterTest } from './character-test.ts'
import { type AnchorKind, type CharacterSet, lengthsOf, type PatternNode, type RepeatNode } from './pattern-tree.ts'

/** One step of a program; targets are indexes of steps. */
export type Step =
  | { readonly op: 'set'; readonly test: CharacterTest }
  | { readonly op: 'split'; readonly first: number; readonly second: number; readonly index: number }
  | { readonly op: 'jump'; readonly target: number }
  | { readonly op: 'span'; readonly test: CharacterTest; readonly least: number; readonly most: number; readonly index: number }
  | { readonly op: 'look'; readonly branches: readonly LookBranch[]; readonly isNegative: boolean }
  | { readonly op: 'anchor'; readonly at: AnchorKind }
  | { readonly op: 'match' }

export interface LookBranch {
  readonly entry: number
  /** Characters to go back before the branch is tried: its length in a look-behind, 0 in a look-ahead. */
  readonly back: number
}

export interface LinearProgram {
  readonly steps: readonly Step[]
  readonly entry: number
  readonly splitCount: number
  readonly spanCount: number
}

const MAX_STEPS = 20_000

interface Builder {
  readonly field: string
  readonly steps: Step[]
  readonly tests: Map<string, CharacterTest>
  splitCount: number
  spanCount: number
}

/**
 * Compiles a tree into steps for the linear matcher. Counted repetitions are written out, so nothing but (step, position) decides
 * what follows; that is what lets the matcher remember failures.
 */
export function compileLinearProgram(node: PatternNode, field: string): LinearProgram {
  const builder: Builder = { field, steps: [], tests: new Map(), splitCount: 0, spanCount: 0 }
  const entry = builder.steps.length
  emit(builder, node)
  push(builder, { op: 'match' })
  return { steps: builder.steps, entry, splitCount: builder.splitCount, spanCount: builder.spanCount }
}

function push(builder: Builder, step: Step): number {
  if (builder.steps.length >= MAX_STEPS)
    throw new PatternError({ found: `a pattern of more than ${MAX_STEPS} steps`, expected: 'a smaller one', field: builder.field })
  return builder.steps.push(step) - 1
}

function testOf(builder: Builder, set: CharacterSet): CharacterTest {
  const known = builder.tests.get(set.source)
  if (known !== undefined) return known
  const test = makeCharacterTest(set)
  builder.tests.set(set.source, test)
  return test
}

function emit(builder: Builder, node: PatternNode): void {
  switch (node.kind) {
    case 'set':
      push(builder, { op: 'set', test: testOf(builder, node.set) })
      return
    case 'sequence':
      for (const item of node.items) emit(builder, item)
      return
    case 'choice':
      emitChoice(builder, node.options)
      return
    case 'repeat':
      emitRepeat(builder, node)
      return
    case 'anchor':
      push(builder, { op: 'anchor', at: node.at })
      return
    case 'look':
      emitLook(builder, node.body, node.isAhead, node.isNegative)
  }
}

function emitChoice(builder: Builder, options: readonly PatternNode[]): void {
  const ends: number[] = []
  for (const [i, option] of options.entries()) {
    if (i === options.length - 1) {
      emit(builder, option)
      break
    }
    const split = push(builder, { op: 'jump', target: 0 })
    emit(builder, option)
    ends.push(push(builder, { op: 'jump', target: 0 }))
    builder.steps[split] = { op: 'split', first: split + 1, second: builder.steps.length, index: builder.splitCount++ }
  }
  for (const end of ends) builder.steps[end] = { op: 'jump', target: builder.steps.length }
}

function emitRepeat(builder: Builder, node: RepeatNode): void {
  const { body, least, most, mode } = node
  if (mode === 'possessive' && body.kind === 'set') {
    push(builder, { op: 'span', test: testOf(builder, body.set), least, most, index: builder.spanCount++ })
    return
  }
  if (most === Number.POSITIVE_INFINITY && lengthsOf(body).least === 0)
    throw new PatternError({
      found: 'an unlimited repetition of something that may match nothing',
      expected: 'a body that matches at least one character',
      field: builder.field,
    })
  for (let i = 0; i < least; i++) emit(builder, body)
  const optional = (build: () => void) => {
    const split = push(builder, { op: 'jump', target: 0 })
    build()
    const after = builder.steps.length
    const [first, second] = mode === 'lazy' ? [after, split + 1] : [split + 1, after]
    builder.steps[split] = { op: 'split', first, second, index: builder.splitCount++ }
  }
  if (most === Number.POSITIVE_INFINITY) {
    const start = builder.steps.length
    optional(() => {
      emit(builder, body)
      push(builder, { op: 'jump', target: start })
    })
    return
  }
  for (let i = least; i < most; i++) optional(() => emit(builder, body))
}

function emitLook(builder: Builder, body: PatternNode, isAhead: boolean, isNegative: boolean): void {
  const over = push(builder, { op: 'jump', target: 0 })
  const parts = !isAhead && body.kind === 'choice' ? body.options : [body]
  const branches: LookBranch[] = []
  for (const part of parts) {
    const { least, most } = lengthsOf(part)
    if (!isAhead && least !== most)
      throw new PatternError({ found: 'a look-behind of variable length', expected: 'alternatives of fixed length', field: builder.field })
    branches.push({ entry: builder.steps.length, back: isAhead ? 0 : least })
    emit(builder, part)
    push(builder, { op: 'match' })
  }
  builder.steps[over] = { op: 'jump', target: builder.steps.length }
  push(builder, { op: 'look', branches, isNegative })
}
