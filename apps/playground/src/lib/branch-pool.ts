/**
 * Which cache answers which turn. Each cache holds the rows of one path through the conversation. An answer that continues a path takes its
 * cache on; one that leaves it forks the cache that shares most turns with it, so that only what differs is computed and the old
 * branch can be continued as well. Even where no turn is shared the fork has the system message. A few caches are kept, those used least
 * recently go first.
 */
import type { Branch } from './model-session.ts'

/** Caches that are kept at a time. */
const MOST_BRANCHES = 4

interface Held {
  readonly branch: Branch
  /** Ids of the turns whose rows it holds. */
  path: readonly string[]
  usedAt: number
}

export interface LentBranch {
  readonly branch: Branch
  /** Whether it was forked from another branch. */
  readonly isFork: boolean
  /** Ends the loan: the cache holds the rows of these turns. */
  keep(path: readonly string[]): void
  /** Ends the loan after a failure: the cache is what it was before, a fork is dropped. */
  undo(): Promise<void>
}

export interface BranchPool extends AsyncDisposable {
  /** @param path  ids of the turns that the prompt is made of */
  lend(path: readonly string[]): Promise<LentBranch>
  /** How many caches there are. */
  readonly size: number
}

export function branchPool(open: () => Promise<Branch>): BranchPool {
  let held: Held[] = []
  let clock = 0

  async function makeRoom(except: Held | undefined): Promise<void> {
    while (held.length >= MOST_BRANCHES) {
      const oldest = held.filter((each) => each !== except).toSorted((a, b) => a.usedAt - b.usedAt)[0]
      if (oldest === undefined) return
      held = held.filter((each) => each !== oldest)
      await oldest.branch[Symbol.asyncDispose]()
    }
  }

  return {
    get size() {
      return held.length
    },
    async lend(path) {
      const nearest = held
        .map((each) => ({ each, shared: sharedTurns(each.path, path) }))
        .toSorted((a, b) => b.shared - a.shared || b.each.usedAt - a.each.usedAt)[0]
      const continues = nearest !== undefined && nearest.shared === nearest.each.path.length
      if (!continues) await makeRoom(nearest?.each)
      const entry: Held = continues
        ? nearest.each
        : { branch: await (nearest === undefined ? open() : nearest.each.branch.fork()), path: [], usedAt: 0 }
      entry.usedAt = ++clock
      return {
        branch: entry.branch,
        isFork: !continues && nearest !== undefined,
        keep(kept) {
          entry.path = kept
          if (!held.includes(entry)) held.push(entry)
        },
        async undo() {
          if (!held.includes(entry)) await entry.branch[Symbol.asyncDispose]()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      const all = held
      held = []
      for (const { branch } of all) await branch[Symbol.asyncDispose]()
    },
  }
}

function sharedTurns(a: readonly string[], b: readonly string[]): number {
  let shared = 0
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++
  return shared
}
