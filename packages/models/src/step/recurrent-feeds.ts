/**
 * What a step feeds to recurrent layers. Rows are the tail (cached rows that the cache's newest state has not gone through) and then
 * the new ones. The paths through the new rows are lanes: each starts from the state after the tail, so a chain is one lane and a tree
 * has one for each of its leaves; a row that several paths share is computed once in each, with the same bits.
 */
import { type Tensor, tensor } from '@foretoken/tensor'
import type { LayerDescription } from '../architectures/architecture.ts'
import type { DecodeStep } from '../causal-lm.ts'

/** Whether the new rows follow one another, so that there is one state after all of them. */
export function isChain({ visibility }: DecodeStep, steps: number): boolean {
  if (visibility === undefined || visibility.kind === 'causal' || steps === 1) return true
  return visibility.kind === 'tree' && visibility.parents.every((parent, row) => parent === row - 1)
}

export function feedRecurrent(feeds: Map<string, Tensor>, step: DecodeStep, steps: number, layers: readonly LayerDescription[]): void {
  const windows = new Set<number>()
  let tail = 0
  for (const [layer, { recurrent }] of layers.entries()) {
    if (recurrent === undefined) continue
    const { stateDims, inputWidth, window } = recurrent
    const view = step.cache.recurrentView(layer)
    feeds.set(`state_${layer}`, tensor('float32', stateDims, view.state))
    feeds.set(`recurrent_inputs_${layer}`, tensor('float32', [window + view.tail, inputWidth], view.inputs))
    tail = view.tail
    windows.add(window)
  }
  if (windows.size === 0) return
  const parents = parentsOf(step, steps)
  const { rows, places, lanes, depth } = lanesOf(parents)
  feeds.set(
    'tail_rows',
    indices(tail, (row) => row),
  )
  feeds.set('tail_rounds', tensor('int64', [], BigInt64Array.of(tail === 0 ? 0n : 1n)))
  feeds.set(
    'lane_rows',
    tensor(
      'int64',
      [lanes, depth],
      BigInt64Array.from(rows, (row) => BigInt(tail + row)),
    ),
  )
  feeds.set('lane_count', tensor('int64', [], BigInt64Array.of(BigInt(lanes))))
  feeds.set(
    'lane_places',
    indices(steps, (row) => places[row] ?? 0),
  )
  feeds.set(
    'new_rows',
    indices(steps, (row) => tail + row),
  )
  for (const window of windows) feeds.set(`taps_${window}`, taps(window, tail, parents))
}

/** [steps] the new row before each, -1 where that is the last cached one. */
function parentsOf({ visibility }: DecodeStep, steps: number): Int32Array {
  return visibility?.kind === 'tree' ? visibility.parents : Int32Array.from({ length: steps }, (_, row) => row - 1)
}

interface Lanes {
  /** [lanes, depth] new rows; shorter paths repeat their last row, which nobody reads again. */
  readonly rows: readonly number[]
  /** [steps] index into `rows`. */
  readonly places: readonly number[]
  readonly lanes: number
  readonly depth: number
}

function lanesOf(parents: Int32Array): Lanes {
  const isParent = new Set(parents)
  const paths: number[][] = []
  for (let leaf = 0; leaf < parents.length; leaf++) {
    if (isParent.has(leaf)) continue
    const path: number[] = []
    for (let row = leaf; row >= 0; row = parents[row] ?? -1) path.push(row)
    paths.push(path.reverse())
  }
  const depth = paths.reduce((most, { length }) => Math.max(most, length), 0)
  const rows: number[] = []
  const places: number[] = []
  for (const path of paths) {
    for (let at = 0; at < depth; at++) {
      const row = path[at] ?? path.at(-1) ?? 0
      if (at < path.length) places[row] = rows.length
      rows.push(row)
    }
  }
  return { rows, places, lanes: paths.length, depth }
}

/** [window + 1, tail + steps]: rows among the window, the tail and the new ones, each row's own last. */
function taps(window: number, tail: number, parents: Int32Array): Tensor {
  const count = tail + parents.length
  const out = new BigInt64Array((window + 1) * count)
  const before = (at: number) => {
    const parent = parents[at - window - tail]
    return parent === undefined || parent < 0 ? Math.min(at, window + tail) - 1 : window + tail + parent
  }
  for (let row = 0; row < count; row++) {
    let at = window + row
    for (let tap = window; tap >= 0; tap--) {
      out[tap * count + row] = BigInt(at)
      at = before(at)
    }
  }
  return tensor('int64', [window + 1, count], out)
}

function indices(count: number, at: (index: number) => number): Tensor {
  return tensor(
    'int64',
    [count],
    BigInt64Array.from({ length: count }, (_, index) => BigInt(at(index))),
  )
}
