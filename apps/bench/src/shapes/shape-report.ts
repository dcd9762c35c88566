import type { Row, Sample } from '../report/rows.ts'
import type { Skipped } from '../sides.ts'
import type { ModelShape } from './shape.ts'

/** What was measured on one shape. */
export interface ShapeReport {
  readonly shape: ModelShape
  readonly parameters: number
  readonly fileBytes: number
  readonly skipped: readonly Skipped[]
  readonly rows: readonly Row[]
  readonly samples: readonly Sample[]
}

/** The side that all of ours are compared with. */
export const PEER = 'node-llama-cpp'

/** The side of a format that converts the weights at each start. */
export function unkept(format: string): string {
  return `${format}, nothing kept`
}
