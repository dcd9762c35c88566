/** The stage that adds special tokens around the ids of a text. */
export interface PostProcessor {
  /** How many ids `process` adds. */
  readonly addedCount: number
  process(ids: readonly number[]): number[]
}

/** Fixed ids before and after the text; `[CLS] text [SEP]` and the like. */
export function surroundingPostProcessor(before: readonly number[], after: readonly number[]): PostProcessor {
  return { addedCount: before.length + after.length, process: (ids) => before.concat(ids, after) }
}

/** Adds nothing: what `ByteLevel` changes are offsets. */
export function emptyPostProcessor(): PostProcessor {
  return { addedCount: 0, process: (ids) => [...ids] }
}

export function sequencePostProcessor(stages: readonly PostProcessor[]): PostProcessor {
  return {
    addedCount: stages.reduce((sum, stage) => sum + stage.addedCount, 0),
    process: (ids) => stages.reduce((current, stage) => stage.process(current), [...ids]),
  }
}
