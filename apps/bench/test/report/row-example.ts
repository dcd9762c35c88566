import type { Row } from '../../src/report/rows.ts'

/** A row of two rounds in which we are ahead by a half. */
export function rowExample(changes: Partial<Row> = {}): Row {
  return {
    measure: 'decode',
    context: 16,
    peer: 'them',
    unit: 'ms/token',
    ours: 8,
    theirs: 12,
    ratio: 1.5,
    ratioLeast: 1.25,
    ratioGreatest: 1.75,
    oursLeast: 7,
    oursGreatest: 9,
    theirsLeast: 11,
    theirsGreatest: 13,
    ...changes,
  }
}
