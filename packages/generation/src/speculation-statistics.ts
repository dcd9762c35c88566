import { type DraftTree, hasChild } from './draft-tree.ts'
import type { DraftSummary } from './drafter.ts'

/** What drafts brought. */
export interface SpeculationStatistics {
  readonly drafter: string
  /** Steps after the first new token. */
  readonly steps: number
  /** Those of them with drafted rows. */
  readonly draftedSteps: number
  /** Drafted tokens. */
  readonly drafted: number
  /** Those of them that became output. */
  readonly accepted: number
  /** How often a child of an accepted row at this depth was there to be accepted; index 0 is below the last token of the output. */
  readonly testedByDepth: readonly number[]
  /** How often one was. */
  readonly acceptedByDepth: readonly number[]
  /** New tokens after the first per step. */
  readonly tokensPerStep: number
  /** Time of the drafter. */
  readonly draftMs: number
  /** Time of the model. */
  readonly stepMs: number
  /** [rows + 1] how many steps had so many rows. */
  readonly stepsByRows: readonly number[]
  /** New tokens of each step. */
  readonly tokensByStep: readonly number[]
  /** What the drafter says of its decisions; absent when it says nothing. */
  readonly summary?: DraftSummary
}

export interface SpeculationTally {
  count(tree: DraftTree | undefined, path: readonly number[], tokens: number, stepMs: number): void
  countDraft(elapsedMs: number): void
  /** @param summary  the drafter's own */
  statistics(summary: DraftSummary | undefined): SpeculationStatistics
}

export function createSpeculationTally(drafter: string): SpeculationTally {
  const testedByDepth: number[] = []
  const acceptedByDepth: number[] = []
  const stepsByRows: number[] = [0, 0]
  const tokensByStep: number[] = []
  let [steps, draftedSteps, drafted, accepted, tokens, draftMs, stepMs] = [0, 0, 0, 0, 0, 0, 0]
  return {
    count(tree, path, emitted, elapsedMs) {
      steps++
      tokens += emitted
      stepMs += elapsedMs
      tokensByStep.push(emitted)
      const rows = tree?.tokens.length ?? 1
      while (stepsByRows.length <= rows) stepsByRows.push(0)
      stepsByRows[rows] = (stepsByRows[rows] ?? 0) + 1
      if (tree === undefined) return
      draftedSteps++
      drafted += tree.verified - 1
      accepted += path.length - 1
      for (const [depth, row] of path.entries()) {
        if (!hasChild(tree, row)) break
        testedByDepth[depth] = (testedByDepth[depth] ?? 0) + 1
        acceptedByDepth[depth] = (acceptedByDepth[depth] ?? 0) + (depth + 1 < path.length ? 1 : 0)
      }
    },
    countDraft(elapsedMs) {
      draftMs += elapsedMs
    },
    statistics: (summary) => ({
      drafter,
      steps,
      draftedSteps,
      drafted,
      accepted,
      testedByDepth: [...testedByDepth],
      acceptedByDepth: [...acceptedByDepth],
      tokensPerStep: steps === 0 ? 0 : tokens / steps,
      draftMs,
      stepMs,
      stepsByRows: [...stepsByRows],
      tokensByStep: [...tokensByStep],
      ...(summary === undefined ? {} : { summary }),
    }),
  }
}
