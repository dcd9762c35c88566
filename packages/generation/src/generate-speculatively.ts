/**
 * The decoding loop with drafts: a proposal, one step over all of its rows, and a walk that ends where the output leaves the proposal. The rows
 * on the way stay in the cache and nothing else does, so that after every piece it holds what plain decoding holds there.
 */
import type { CausalLM, DecodeStep } from '@foretoken/models'
import { constraintStart, processorsFor } from './constraints/constraint-processor.ts'
import { DecodingSequence } from './decoding-sequence.ts'
import { type DraftTree, draftTree } from './draft-tree.ts'
import type { Drafter, DraftSession, Proposal } from './drafter.ts'
import type { CheckedOptions } from './generation-options.ts'
import type { GenerationPiece } from './generation-piece.ts'
import { type CacheLoan, lendCache, type PrefixCache } from './prefix-cache.ts'
import type { EncodedPrompt } from './prompt.ts'
import { createSpeculationTally, type SpeculationTally } from './speculation-statistics.ts'

/** The pieces of plain decoding; the last one's statistics say what the drafts brought. */
export async function* generateSpeculatively(
  lm: CausalLM,
  prompt: EncodedPrompt,
  options: CheckedOptions,
  drafter: Drafter,
  prefixCache: PrefixCache | undefined,
): AsyncGenerator<GenerationPiece, void, undefined> {
  const { signal, clock, sampling, stopTokens } = options
  signal?.throwIfAborted()
  const loan = lendCache(lm, prompt, prefixCache)
  let tokens = prompt.tokens
  let session: DraftSession | undefined
  try {
    const { cache } = loan
    const sequence = new DecodingSequence(lm, prompt, options, cache, loan.reused, options.sequence)
    const tally = createSpeculationTally(drafter.name)
    if (sequence.isFinished) yield withDrafts(sequence.emptyPiece(), tally, undefined)
    else {
      const { sequence: index } = options
      const constraint = constraintStart(lm, prompt, options)
      session = drafter.begin({
        lm,
        cache,
        prompt: prompt.tokens.slice(),
        sampling,
        processors: processorsFor(lm, prompt, options),
        ...(constraint === undefined ? {} : { constraint }),
        sequence: index,
        stopTokens,
        signal,
        clock,
      })
    }
    const speculation: Speculation = { lm, drafter, session, sequence, loan, options, tally }
    while (!sequence.isFinished) {
      signal?.throwIfAborted()
      const { pieces, error } = sequence.isDecoding ? await draftedStep(speculation) : await promptStep(speculation)
      tokens = sequence.tokens
      yield* handedOut(pieces, speculation)
      if (error !== undefined) throw error.thrown
    }
  } catch (error) {
    await loan.undo()
    throw error
  } finally {
    await session?.end?.()
    await loan.keep(tokens)
  }
}

interface Speculation {
  readonly lm: CausalLM
  readonly drafter: Drafter
  readonly session: DraftSession | undefined
  readonly sequence: DecodingSequence
  readonly loan: CacheLoan
  readonly options: CheckedOptions
  readonly tally: SpeculationTally
}

interface Chosen {
  readonly pieces: readonly GenerationPiece[]
  /** What plain decoding would throw after these pieces. */
  readonly error?: { readonly thrown: unknown }
}

async function promptStep({ lm, drafter, session, sequence, loan, options }: Speculation): Promise<Chosen> {
  const { signal, clock } = options
  const step = sequence.nextStep()
  const from = loan.cache.length
  const start = clock()
  const result = await lm.forward({ ...step, want: { ...drafter.wantsOfPrompt, ...step.want } })
  signal?.throwIfAborted()
  if (drafter.wantsOfPrompt !== undefined) session?.observePrompt?.(result, from)
  const piece = sequence.take(result, clock() - start)
  return { pieces: piece === undefined ? [] : [piece] }
}

async function draftedStep({ lm, drafter, session, sequence, loan, options, tally }: Speculation): Promise<Chosen> {
  const { signal, clock } = options
  const past = loan.cache.length
  const begin = clock()
  const most = lm.maxSteps(loan.cache) - 1
  const deepest = sequence.deepestDraft
  const proposal = most < 1 || deepest < 1 ? undefined : await session?.propose({ tokens: sequence.tokens, most, deepest })
  signal?.throwIfAborted()
  const tree = treeOf(lm, drafter, sequence, proposal, most, deepest)
  const start = clock()
  const step: DecodeStep = tree === undefined ? sequence.nextStep() : sequence.nextTreeStep(tree)
  const result = await lm.forward({ ...step, want: { ...drafter.wants, ...step.want } })
  signal?.throwIfAborted()
  const elapsedMs = clock() - start
  const chosen = sequence.takeTree(result, tree, clock() - begin)
  tally.count(tree, chosen.path, chosen.pieces.length, elapsedMs)
  if (tree !== undefined) options.onDrafts({ drafted: tree.verified - 1, accepted: chosen.path.length - 1 })
  const draftStart = clock()
  const { path } = chosen
  const emitted = chosen.pieces.flatMap(({ ids }) => ids)
  const rowTokens = tree?.tokens ?? Int32Array.of(sequence.tokens.at(-1 - emitted.length) ?? 0)
  await session?.commit?.({ proposal: tree === undefined ? undefined : proposal, rowTokens, result, path, emitted, past, elapsedMs })
  const commitMs = clock() - draftStart
  tally.countDraft(start - begin + commitMs)
  sequence.countDecoding(commitMs)
  return chosen
}

function treeOf(
  lm: CausalLM,
  { name }: Drafter,
  sequence: DecodingSequence,
  proposal: Proposal | undefined,
  most: number,
  deepest: number,
): DraftTree | undefined {
  if (proposal === undefined || (proposal.tokens.length === 0 && proposal.unverified === undefined)) return undefined
  const limits = { most, deepest, vocab: lm.config.vocab, mayBranch: lm.capabilities.treeVisibility }
  return draftTree(name, sequence.tokens.at(-1) ?? 0, proposal, limits)
}

/** One piece after the other. Whoever leaves between two of them leaves a cache without rows that were not handed out. */
async function* handedOut(
  pieces: readonly GenerationPiece[],
  { loan, sequence, options, tally, session }: Speculation,
): AsyncGenerator<GenerationPiece, void, undefined> {
  const before = sequence.tokens.length - pieces.length
  let handed = 0
  try {
    for (const piece of pieces) {
      if (handed > 0) options.signal?.throwIfAborted()
      handed++
      yield piece.statistics === undefined ? piece : withDrafts(piece, tally, session)
    }
  } finally {
    if (handed > 0 && handed < pieces.length) loan.cache.truncate(loan.cache.restorableLength(before + handed - 1))
  }
}

function withDrafts(piece: GenerationPiece, tally: SpeculationTally, session: DraftSession | undefined): GenerationPiece {
  if (piece.statistics === undefined) return piece
  return { ...piece, statistics: { ...piece.statistics, speculation: tally.statistics(session?.summary?.()) } }
}
