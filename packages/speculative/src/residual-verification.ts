/**
 * The sequential residual rule: draws from the target's distributions with the help of drafted children, exactly, whatever these were drawn from.
 * At a node the residual r begins as the target's distribution; each child, in the order of the draws, is accepted with probability
 * min(1, r(token) / q(token)), and a refusal leaves max(0, r - q), normalised. A fixed child has all of q on its token. Chains are the rule of
 * Leviathan et al. 2022 and Chen et al. 2023, trees that of SpecInfer (Miao et al. 2023) and Sequoia (Chen et al. 2024). It accepts more than
 * `generate` does where children are drawn from a good distribution, and gives other tokens than plain decoding does with the same seed.
 *
 * What a source of kind `drawn` claims must be true: a node that was dropped, re-ranked or de-duplicated by looking at its value is not drawn
 * from its distribution any more, and the output is no longer the target's.
 */
import type { NodeSource, Proposal, TokenDistribution } from '@foretoken/generation'
import { ArgumentError, type RandomStream } from '@foretoken/tensor'

/** Whatever is decided by chance. */
export interface Chance {
  /** True with this probability. */
  accept(probability: number): boolean
  /** A token with its probability. */
  draw(distribution: TokenDistribution): number
}

/** Each decision takes the next index of the stream. */
export function chanceFrom(stream: RandomStream): Chance {
  let index = 0
  return {
    accept: (probability) => stream.uniform(index++) < probability,
    draw({ tokens, probabilities }) {
      let left = stream.uniform(index++)
      for (let i = 0; i < tokens.length; i++) {
        left -= probabilities[i] ?? 0
        if (left < 0) return tokens[i] ?? 0
      }
      return tokens.at(-1) ?? 0
    },
  }
}

export interface DraftedChild {
  readonly token: number
  readonly source: NodeSource
}

/**
 * Chooses the token after one node.
 *
 * @param target    the distribution that plain decoding draws from there
 * @param children  in the order of their draws
 * @returns         the token, and the index of the child that has it, -1 when none was accepted
 * @throws {ArgumentError} for a drawn child that its distribution cannot give
 */
export function chooseChild(
  target: TokenDistribution,
  children: readonly DraftedChild[],
  chance: Chance,
): { readonly child: number; readonly token: number } {
  let residual = target
  for (const [child, { token, source }] of children.entries()) {
    const drawn = source.kind === 'drawn' ? source.distribution : { tokens: Int32Array.of(token), probabilities: Float64Array.of(1) }
    const q = probabilityOf(drawn, token)
    if (!(q > 0)) {
      const expected = 'a token that its distribution can give'
      throw new ArgumentError({ field: `children[${child}]`, found: `token ${token} of probability ${q}`, expected })
    }
    const acceptance = probabilityOf(residual, token) / q
    const left = acceptance >= 1 ? undefined : without(residual, drawn)
    // equal distributions leave nothing but rounding
    if (left === undefined || chance.accept(acceptance)) return { child, token }
    residual = left
  }
  return { child: -1, token: chance.draw(residual) }
}

export interface ResidualVerification {
  /** Accepted nodes of the proposal, from the root down. */
  readonly nodes: readonly number[]
  /** Their tokens, and one more. */
  readonly emitted: readonly number[]
}

/**
 * Walks a proposal from its root.
 *
 * @param targetAfter  the target's distribution after these accepted nodes (none: after the root), with every processor applied to that prefix
 */
export function verifyByResidual(
  { tokens, parents, sources }: Proposal,
  targetAfter: (nodes: readonly number[]) => TokenDistribution,
  chance: Chance,
): ResidualVerification {
  const nodes: number[] = []
  const emitted: number[] = []
  for (;;) {
    const at = nodes.at(-1) ?? -1
    const children = [...parents.keys()].filter((node) => parents[node] === at)
    const drafted = children.map((node): DraftedChild => ({ token: tokens[node] ?? 0, source: sources?.[node] ?? { kind: 'fixed' } }))
    const { child, token } = chooseChild(targetAfter(nodes), drafted, chance)
    emitted.push(token)
    const node = children[child]
    if (node === undefined) return { nodes, emitted }
    nodes.push(node)
  }
}

function probabilityOf({ tokens, probabilities }: TokenDistribution, token: number): number {
  const at = tokens.indexOf(token)
  return at < 0 ? 0 : (probabilities[at] ?? 0)
}

/** max(0, r - q), normalised; undefined when nothing is left. */
function without(residual: TokenDistribution, drawn: TokenDistribution): TokenDistribution | undefined {
  const q = new Map(Array.from(drawn.tokens, (token, i) => [token, drawn.probabilities[i] ?? 0]))
  const left = residual.probabilities.map((r, i) => Math.max(0, r - (q.get(residual.tokens[i] ?? -1) ?? 0)))
  const sum = left.reduce((total, each) => total + each, 0)
  if (!(sum > 0)) return undefined
  const kept = [...left.keys()].filter((i) => (left[i] ?? 0) > 0)
  return {
    tokens: Int32Array.from(kept, (i) => residual.tokens[i] ?? 0),
    probabilities: Float64Array.from(kept, (i) => (left[i] ?? 0) / sum),
  }
}
