/**
 * How tokens are spelt, by id, each asked for once. The model answers between two of its steps, so nobody waits for a label while an answer
 * streams: ids are collected while a request is on its way, and the page shows labels when they are there.
 */
import type { ModelSession } from './model-session.ts'

export interface TokenLabels {
  /** The label, if it is known by now. */
  get(id: number): string | undefined
  /** Asks for what is not known. */
  request(ids: readonly number[]): void
  /** Resolves when nothing is on its way any more; labels that could not be had stay unknown. */
  settled(): Promise<void>
}

/** @param onLabels  called after labels have come */
export function tokenLabels({ spell }: Pick<ModelSession, 'spell'>, onLabels: () => void = () => undefined): TokenLabels {
  const known = new Map<number, string>()
  const asked = new Set<number>()
  let waiting: number[] = []
  let underWay: Promise<void> | undefined

  async function fetchAll(): Promise<void> {
    while (waiting.length > 0) {
      const ids = waiting
      waiting = []
      try {
        const spellings = await spell(ids)
        for (const [i, id] of ids.entries()) {
          const label = spellings[i]?.label
          if (label !== undefined) known.set(id, label)
        }
        onLabels()
      } catch {
        for (const id of ids) asked.delete(id)
      }
    }
    underWay = undefined
  }

  return {
    get: (id) => known.get(id),
    request(ids) {
      for (const id of ids) {
        if (asked.has(id)) continue
        asked.add(id)
        waiting.push(id)
      }
      if (waiting.length > 0) underWay ??= fetchAll()
    },
    async settled() {
      await underWay
    },
  }
}
