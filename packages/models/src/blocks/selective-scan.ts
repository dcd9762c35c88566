/**
 * The recurrence of Mamba: every channel has a state of a few numbers, each of which decays by a rate of its own times the row's step.
 *   h = exp(step * A) * h + (step * x) B,  y = C h
 * The state is laid out [stateSize, channels], channels innermost: its four operators a row are long plain loops then, 6 to 10 times
 * quicker than with the state innermost. A row is the same operators over the same shapes in a tail, a chain and a tree, so it has the
 * same bits in each.
 */
import { add, exponential, gather, loop, matMul, multiply, reshape, scan, unsqueeze, type Value } from '@foretoken/graph'
import type { Decoder, RecurrentInputs } from '../decoder/decoder.ts'

/** Of tail and new rows. */
export interface ScanRows {
  /** [tail + steps, channels] */
  readonly step: Value
  /** [tail + steps, channels] step * x */
  readonly input: Value
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
  const update = (state: Value, step: Value, input: Value, b: Value): Value =>
    add(multiply(exponential(multiply(step, decay)), state), multiply(input, unsqueeze(b, [1])))

  const replayed = loop(
    [inputs.state],
    (_, [state]) => {
      const of = (all: Value) => gather(all, inputs.tailRows)
      const { carried } = scan([given(state)], [of(rows.step), of(rows.input), of(rows.b)], ([before], [step, input, b]) => ({
        carried: [update(given(before), given(step), given(input), given(b))],
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
      return scan([start], [of(rows.step), of(rows.input), of(rows.b), of(rows.c)], ([before], [step, input, b, c]) => {
        const state = update(given(before), given(step), given(input), given(b))
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
