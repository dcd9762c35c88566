/** A grammar as a constraint: an output is what the grammar matches, in whatever tokens it is spelled. */
import { ConstraintError } from '../errors.ts'
import { type ByteAutomaton, byteAutomaton, DEAD } from './byte-automaton.ts'
import type { Constraint, ConstraintState, OutputVocabulary } from './constraint.ts'
import type { Grammar } from './expression.ts'
import { grammarNetwork } from './grammar-network.ts'
import { type TokenMasks, tokenMasks } from './token-masks.ts'
import { type TokenTrie, tokenTrie } from './token-trie.ts'

/** What outputs over one vocabulary share. */
interface Reading {
  readonly vocabulary: OutputVocabulary
  readonly automaton: ByteAutomaton
  /** Of the first token, then of the others. */
  readonly firstMasks: TokenMasks
  readonly masks: TokenMasks
}

/** A place in an output, and the one before its last token. */
interface Place {
  readonly state: number
  readonly isFirst: boolean
  readonly before: Place | undefined
}

/** A state beyond a stop token. */
const ENDED = -2
/** An automaton that has come to know more states is begun anew; outputs under way keep theirs. A state takes about a kilobyte. */
const MOST_STATES = 20_000

/** What is forced beyond so many bytes is found the next time. */
const MOST_FORCED = 96

const tries = new WeakMap<OutputVocabulary, { readonly first: TokenTrie; readonly others: TokenTrie }>()

/**
 * @param name  for errors
 * @throws {ConstraintError} for a rule that is missing or begins with itself, a grammar that nothing matches, or one that is too large
 */
export function constraintOfGrammar(name: string, grammar: Grammar): Constraint {
  const network = grammarNetwork(name, grammar)
  const readings = new WeakMap<OutputVocabulary, Reading>()
  const readingOf = (vocabulary: OutputVocabulary): Reading => {
    const known = readings.get(vocabulary)
    if (known !== undefined && known.automaton.size < MOST_STATES) return known
    const { first, others } = triesOf(vocabulary)
    const automaton = byteAutomaton(name, network)
    const masks = tokenMasks(automaton, others, vocabulary.size)
    const firstMasks = first === others ? masks : tokenMasks(automaton, first, vocabulary.size)
    const reading = { vocabulary, automaton, firstMasks, masks }
    readings.set(vocabulary, reading)
    return reading
  }
  return {
    name,
    follow(vocabulary) {
      const reading = readingOf(vocabulary)
      const { automaton, firstMasks } = reading
      if (!automaton.mayEnd(automaton.start) && firstMasks.at(automaton.start).every((word) => word === 0)) {
        throw new ConstraintError({
          field: name,
          found: 'a vocabulary without a token to begin with',
          expected: 'tokens that spell the texts',
        })
      }
      return stateAt(reading, { state: automaton.start, isFirst: true, before: undefined })
    },
  }
}

function triesOf(vocabulary: OutputVocabulary) {
  const known = tries.get(vocabulary)
  if (known !== undefined) return known
  const others = tokenTrie(vocabulary, false)
  const made = { others, first: vocabulary.dropsFirstSpace ? tokenTrie(vocabulary, true) : others }
  tries.set(vocabulary, made)
  return made
}

function stateAt(reading: Reading, begin: Place): ConstraintState {
  const { vocabulary, automaton, firstMasks, masks } = reading
  let place = begin
  const maskHere = () => (place.isFirst ? firstMasks : masks).at(place.state)
  const mayEnd = () => place.state >= 0 && automaton.mayEnd(place.state)
  return {
    get mayEnd() {
      return mayEnd()
    },
    allows(token) {
      if (place.state < 0) return false
      if (vocabulary.stopTokens.has(token)) return mayEnd()
      return (((maskHere()[token >> 5] ?? 0) >> (token & 31)) & 1) === 1
    },
    mask(logits) {
      if (place.state < 0) {
        logits.fill(Number.NEGATIVE_INFINITY)
        return
      }
      const kept = mayEnd() ? Array.from(vocabulary.stopTokens, (token) => [token, logits[token] ?? 0] as const) : []
      const mask = maskHere()
      for (let word = 0, first = 0; word < mask.length; word++, first += 32) {
        const bits = mask[word] ?? 0
        if (bits === -1) continue
        const end = Math.min(first + 32, logits.length)
        if (bits === 0) logits.fill(Number.NEGATIVE_INFINITY, first, end)
        else for (let token = first; token < end; token++) if (((bits >> (token & 31)) & 1) === 0) logits[token] = Number.NEGATIVE_INFINITY
      }
      for (const token of vocabulary.stopTokens) logits[token] = Number.NEGATIVE_INFINITY
      for (const [token, logit] of kept) logits[token] = logit
    },
    get forced() {
      return forcedAfter(automaton, place.state)
    },
    push(token) {
      place = { state: stateAfter(reading, place, token), isFirst: false, before: place }
    },
    pop() {
      place = place.before ?? place
    },
    fork: () => stateAt(reading, place),
  }
}

function stateAfter({ vocabulary, automaton }: Reading, { state, isFirst }: Place, token: number): number {
  if (state < 0) return DEAD
  if (vocabulary.stopTokens.has(token)) return automaton.mayEnd(state) ? ENDED : DEAD
  const bytes = vocabulary.bytesOf(token)
  if (bytes === undefined || bytes.length === 0) return DEAD
  let at = state
  for (let i = isFirst && vocabulary.dropsFirstSpace && bytes[0] === 0x20 ? 1 : 0; i < bytes.length && at !== DEAD; i++) {
    at = automaton.step(at, bytes[i] ?? 0)
  }
  return at
}

function forcedAfter(automaton: ByteAutomaton, state: number): Uint8Array {
  const forced: number[] = []
  let at = state
  while (at >= 0 && forced.length < MOST_FORCED && !automaton.mayEnd(at)) {
    let only = -1
    let choices = 0
    for (let byte = 0; byte < 256 && choices < 2; byte++) {
      if (automaton.step(at, byte) === DEAD) continue
      only = byte
      choices++
    }
    if (choices !== 1) break
    forced.push(only)
    at = automaton.step(at, only)
  }
  return Uint8Array.from(forced)
}
