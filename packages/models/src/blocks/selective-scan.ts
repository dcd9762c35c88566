/**
 * The recurrence of Mamba: every channel has a state of a few numbers, each of which decays by a rate of its own times the row's step.
 *   h = exp(step * A) * h + (step * x) B,  y = C h
 * The step is a softplus, which is taken here, row by row: over several rows the runtime cuts the work where a few elements at the
 * seams are computed by another routine, and get other bits.
 * The state is laid out [stateSize, channels], channels innermost: its operators are long plain loops then, 6 to 10 times quicker than
 * with the state innermost. A row is the same operators over the same shapes in a tail, a chain and a tree, so it has the same bits in each.
 */
import { add, exponential, gather, loop, matMul, multiply, reshape, scan, softplus, unsqueeze, type Value } from '@foretoken/graph'
import type { Decoder, RecurrentInputs } from '../decoder/decoder.ts'

/** Of tail and new rows. */
export interface ScanRows {
  /** [tail + steps, channels] before the softplus. */
  readonly step: Value
  /** [tail + steps, channels] */
  readonly x: Value
  /** [tail + steps, stateSize] */
  readonly b: Value
  readonly c: Value
}

/**
 * Declares the layer's states as outputs.
 *
 * @param decay  A, [stateSize, channels]
 * @returns      [steps, channels] C h of the new rows
 */
export function selectiveScan(
  decoder: Decoder,
  layer: number,
  inputs: RecurrentInputs,
  rows: ScanRows,
  decay: Value,
  channels: number,
): Value {
  const { graph } = decoder
  const update = (state: Value, rawStep: Value, x: Value, b: Value): Value => {
    const step = softplus(rawStep)
    return add(multiply(exponential(multiply(step, decay)), state), multiply(multiply(step, x), unsqueeze(b, [1])))
  }

  const replayed = loop(
    [inputs.state],
    (_, [state]) => {
      const of = (all: Value) => gather(all, inputs.tailRows)
      const { carried } = scan([given(state)], [of(rows.step), of(rows.x), of(rows.b)], ([before], [step, x, b]) => ({
        carried: [update(given(before), given(step), given(x), given(b))],
      }))
      return { carried }
    },
    { count: inputs.tailRounds },
  )
  const start = given(replayed.carried[0])

  const lanes = loop(
    [start],
    (lane) => {
      const laneRows = gather(inputs.laneRows, lane) // [depth]
      const of = (all: Value) => gather(all, laneRows)
      return scan([start], [of(rows.step), of(rows.x), of(rows.b), of(rows.c)], ([before], [step, x, b, c]) => {
        const state = update(given(before), given(step), given(x), given(b))
        return { carried: [state], collected: [matMul(unsqueeze(given(c), [0]), state)] }
      })
    },
    { count: inputs.laneCount },
  )
  graph.output(`state_before_${layer}`, start)
  graph.output(`state_after_${layer}`, given(lanes.carried[0]))
  const read = reshape(given(lanes.collected[0]), ['lanes*depth', channels])
  return gather(read, inputs.places)
}

function given(value: Value | undefined): Value {
  if (value === undefined) throw new RangeError('a value that a loop was given is missing')
  return value
}
