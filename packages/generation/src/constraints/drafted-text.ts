/** What a constraint knows about drafts: which of them it forbids, and which tokens must come. */
import type { DraftContext, Drafter, Proposal } from '../drafter.ts'
import type { ConstraintState } from './constraint.ts'

/** Follows an output from one request to the next. */
export interface ConstraintFollower {
  /** @param tokens  [tokens] prompt and output, at least as many as the last time */
  at(tokens: Int32Array): ConstraintState
}

/** Undefined where outputs are free. */
export function constraintFollower({ constraint, prompt }: Pick<DraftContext, 'constraint' | 'prompt'>): ConstraintFollower | undefined {
  if (constraint === undefined) return undefined
  const state = constraint()
  let length = prompt.length
  return {
    at(tokens) {
      for (; length < tokens.length; length++) state.push(tokens[length] ?? 0)
      return state
    },
  }
}

/** A proposal without the nodes that no permitted output has, and what is below them. Rows that are never verified stay. */
export function allowedPart(proposal: Proposal, root: ConstraintState): Proposal {
  const { tokens, parents, sources, confidences, unverified } = proposal
  if (unverified !== undefined) return proposal
  const states: (ConstraintState | undefined)[] = []
  const kept: number[] = []
  const places = new Map<number, number>([[-1, -1]])
  for (const [node, token] of tokens.entries()) {
    const before = (parents[node] ?? -1) < 0 ? root : states[parents[node] ?? -1]
    if (before?.allows(token) !== true) continue
    const state = before.fork()
    state.push(token)
    states[node] = state
    places.set(node, kept.length)
    kept.push(node)
  }
  if (kept.length === tokens.length) return proposal
  return {
    tokens: Int32Array.from(kept, (node) => tokens[node] ?? 0),
    parents: Int32Array.from(kept, (node) => places.get(parents[node] ?? -1) ?? -1),
    ...(sources === undefined ? {} : { sources: kept.map((node) => sources[node] ?? { kind: 'fixed' as const }) }),
    ...(confidences === undefined ? {} : { confidences: Float64Array.from(kept, (node) => confidences[node] ?? 0) }),
  }
}

/** How sure a token is that must come, where the model could spell the text in another way, and the last one, which could be a longer token. */
const INNER_CONFIDENCE = 0.9
const LAST_CONFIDENCE = 0.5

/** Drafts the text about which a constraint leaves no choice (keys of a schema, the rest of a word), as the tokenizer spells it. */
export function forcedTextDrafter(): Drafter {
  return {
    name: 'forced text',
    mayMissSteps: true,
    begin(context) {
      const follower = constraintFollower(context)
      const { tokenizer } = context.lm
      return {
        propose({ tokens, most, deepest }) {
          const forced = follower?.at(tokens).forced
          if (forced === undefined || forced.length === 0 || tokenizer === undefined) return undefined
          // a character may be cut off at the end
          const text = new TextDecoder().decode(forced, { stream: true })
          const ids = tokenizer.encode(text, { addSpecialTokens: false }).subarray(0, Math.min(most, deepest))
          return {
            tokens: ids,
            parents: Int32Array.from(ids, (_, i) => i - 1),
            confidences: Float64Array.from(ids, (_, i) => (i < ids.length - 1 ? INNER_CONFIDENCE : LAST_CONFIDENCE)),
          }
        },
      }
    },
  }
}
