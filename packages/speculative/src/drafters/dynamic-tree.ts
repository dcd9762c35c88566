/**
 * A second model drafts a tree whose shape follows its own probabilities (DySpec, Xiong et al. 2024): a chain where it is sure, branches where it is not.
 * How the tree is grown is in `../tree-growth.ts`; here the draft model is asked. Rows of a tree cannot be kept in a cache, which has no branches, so
 * each step of the draft model computes those of the whole tree once more: a few rows beside the price of a step.
 *
 * Children are the tokens that the target's own noise would choose, one after the other (Gumbel coupling); they count as fixed, and may be looked at. With
 * `draws: 'independent'` every node draws with noise of its own, without replacement, and says so: what the residual rule (`verifyByResidual`) asks for.
 */
import {
  createSampler,
  type DraftContext,
  type Drafter,
  gumbelNoise,
  type NodeSource,
  noiseKey,
  type TokenDistribution,
} from '@foretoken/generation'
import type { CausalLM } from '@foretoken/models'
import { ArgumentError } from '@foretoken/tensor'
import { checkProbability } from '../draft-chain.ts'
import { createDraftChoices } from '../draft-choices.ts'
import { draftLogits } from '../draft-logits.ts'
import { DraftRows } from '../draft-rows.ts'
import { sharedVocabulary } from '../shared-vocabulary.ts'
import { type Candidates, type GrownTree, growTree } from '../tree-growth.ts'
import { checkWholeNumbers } from '../whole-numbers.ts'

export interface DynamicTreeOptions {
  /** 'threshold' (default): layer by layer, one step of the draft model for each; 'heap': the likeliest node first, with more steps. */
  readonly growth?: 'threshold' | 'heap'
  /** Most nodes. Default 8. */
  readonly nodes?: number
  /** Greatest depth. Default 6. */
  readonly depth?: number
  /** Least probability of a node to be accepted, by what the draft model thinks; 0 to 1. Default 0.12. */
  readonly threshold?: number
  /** Most children of a node. Default 4. */
  readonly children?: number
  /** Whose noise children are drawn with. Default 'coupled'. */
  readonly draws?: 'coupled' | 'independent'
}

/**
 * @param draft  stays the caller's; may draft for several generations at once. A model without tree visibility drafts a chain.
 * @throws {ArgumentError} for an option outside of its range
 * @throws {VocabularyError} when a generation begins with a model of another vocabulary
 */
export function dynamicTree(draft: CausalLM, options: DynamicTreeOptions = {}): Drafter {
  const { growth = 'threshold', nodes = 8, depth = 6, threshold = 0.12, children = 4, draws = 'coupled' } = options
  checkWholeNumbers({ nodes, depth, children })
  checkProbability('threshold', threshold)
  checkChoice('growth', growth, ['threshold', 'heap'])
  checkChoice('draws', draws, ['coupled', 'independent'])
  return {
    name: `dynamic tree, by ${growth === 'heap' ? 'a heap' : 'a threshold'}`,
    mayMissSteps: true,
    begin(context) {
      const vocab = sharedVocabulary(context.lm, draft)
      const width = context.lm.capabilities.treeVisibility && draft.capabilities.treeVisibility ? children : 1
      const rows = new DraftRows(draft, { promptLength: context.prompt.length, signal: context.signal })
      const isDrawn = draws === 'independent' && context.sampling.kind === 'sample'
      const source = isDrawn ? independentCandidates(context, draft, vocab, width) : coupledCandidates(context, draft, vocab, width)
      return {
        async propose({ tokens, most, deepest }) {
          const room = Math.min(depth, deepest, draft.config.maxPositions - tokens.length)
          if (room < 1) return undefined
          source.begin(tokens)
          const first = source.after(await rows.follow(tokens), [])
          const limits = { growth, deepest: room, threshold, children: width, mayLook: !isDrawn, nodes: Math.min(nodes, most, rows.most) }
          const tree = await growTree(
            async (wanted, grown) => (wanted[0] === -1 ? [first] : expandNodes(rows, source, wanted, grown)),
            limits,
          )
          if (tree.tokens.length === 0) return undefined
          const sources = isDrawn ? { sources: source.sourcesOf(tree) } : {}
          return {
            tokens: Int32Array.from(tree.tokens),
            parents: Int32Array.from(tree.parents),
            confidences: Float64Array.from(tree.probabilities),
            ...sources,
          }
        },
        end: () => rows[Symbol.asyncDispose](),
      }
    },
  }
}

async function expandNodes(
  rows: DraftRows,
  source: CandidateSource,
  wanted: readonly number[],
  tree: GrownTree,
): Promise<readonly Candidates[]> {
  const ascending = [...wanted].sort((a, b) => a - b)
  const logits = await rows.branch(Int32Array.from(tree.tokens), Int32Array.from(tree.parents), Int32Array.from(ascending))
  const vocab = logits.length / ascending.length
  const candidates = new Map(
    ascending.map((node, i) => [node, source.after(logits.subarray(i * vocab, (i + 1) * vocab), branchOf(tree, node), node)]),
  )
  return wanted.map((node) => candidates.get(node) ?? { tokens: [], probabilities: [] })
}

/** The tokens from below the root to a node. */
function branchOf({ tokens, parents }: GrownTree, node: number): number[] {
  const branch: number[] = []
  for (let at = node; at >= 0; at = parents[at] ?? -1) branch.unshift(tokens[at] ?? 0)
  return branch
}

interface CandidateSource {
  /** A proposal begins. */
  begin(tokens: Int32Array): void
  /** @param node  -1 for the root */
  after(logits: Float32Array, branch: readonly number[], node?: number): Candidates
  sourcesOf(tree: GrownTree): readonly NodeSource[]
}

/** The tokens that the target's noise chooses, one after the other. */
function coupledCandidates(context: DraftContext, draft: CausalLM, vocab: number, width: number): CandidateSource {
  const choices = createDraftChoices(context, draft, vocab, Math.max(8, width))
  return {
    begin: (tokens) => choices.follow(tokens),
    after(logits, branch) {
      const { count, tokens, shares } = choices.rank(logits, branch)
      return { tokens: tokens.slice(0, Math.min(count, width)), probabilities: shares.slice(0, Math.min(count, width)) }
    },
    sourcesOf: (tree) => tree.tokens.map(() => ({ kind: 'fixed' })),
  }
}

/** Far from the sequences of any batch. */
const OWN_SEQUENCES = 2 ** 31

/** Draws without replacement, with noise that no other node and no choice of the target has. Processors are left to the target. */
function independentCandidates({ sampling, sequence }: DraftContext, draft: CausalLM, vocab: number, width: number): CandidateSource {
  const sampler = createSampler(sampling, vocab)
  const seed = sampling.kind === 'sample' ? sampling.seed : 0
  const distributions = new Map<number, TokenDistribution>()
  const rowOf = draftLogits(draft, vocab)
  let draws = 0
  return {
    begin: () => distributions.clear(),
    after(logits, _branch, node = -1) {
      const distribution = sampler.distribution(rowOf(logits))
      distributions.set(node, distribution)
      const key = noiseKey(seed, (sequence + OWN_SEQUENCES) % 2 ** 32, draws++)
      const order = Array.from(distribution.tokens, (token, i) => {
        const probability = distribution.probabilities[i] ?? 0
        return { token, probability, score: Math.log(probability) + gumbelNoise(key, token) }
      })
      const drawn = order.sort((a, b) => b.score - a.score).slice(0, width)
      return { tokens: drawn.map(({ token }) => token), probabilities: drawn.map(({ probability }) => probability) }
    },
    sourcesOf: ({ tokens, parents }) =>
      tokens.map((_, node) => {
        const parent = parents[node] ?? -1
        const earlier = tokens.filter((_token, sibling) => sibling < node && parents[sibling] === parent)
        return { kind: 'drawn', distribution: withoutTokens(distributions.get(parent), earlier) }
      }),
  }
}

function withoutTokens(distribution: TokenDistribution | undefined, gone: readonly number[]): TokenDistribution {
  const { tokens, probabilities } = distribution ?? { tokens: new Int32Array(0), probabilities: new Float64Array(0) }
  const kept = [...tokens.keys()].filter((i) => !gone.includes(tokens[i] ?? -1))
  const sum = kept.reduce((total, i) => total + (probabilities[i] ?? 0), 0)
  return {
    tokens: Int32Array.from(kept, (i) => tokens[i] ?? 0),
    probabilities: Float64Array.from(kept, (i) => (probabilities[i] ?? 0) / sum),
  }
}

function checkChoice(field: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) throw new ArgumentError({ field, found: JSON.stringify(value), expected: `one of ${choices.join(', ')}` })
}
