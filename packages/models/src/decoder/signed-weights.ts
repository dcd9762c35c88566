/**
 * Whether a runtime multiplies uint8 activations by int8 weights without saturation. With VNNI or in wasm it does, and products are up to
 * twice as quick as with uint8 weights; with AVX2 alone pairs of products are summed in 16 bits and large ones are cut off. No feature of
 * the processor is read: extreme numbers go through the runtime's own kernels, those for one row and those for several.
 */
import { encodeModelInline, Graph, matMulIntegerToFloat } from '@foretoken/graph'
import type { Runtime } from '@foretoken/runtime'
import { tensor } from '@foretoken/tensor'

/** No multiples of what a kernel takes at once, so that its remainders are tried as well. */
const INPUTS = 76
const OUTPUTS = 83
const ROWS = [1, 2, 23] as const

/** For the plan. */
export function signedNote({ isSigned }: { readonly isSigned: boolean }): string {
  return isSigned
    ? 'rows of integers are int8: this runtime multiplies them without saturation'
    : 'rows of integers are uint8: products of int8 saturate on this runtime'
}

const known = new WeakMap<Runtime, Promise<boolean>>()

/** Tried once for each runtime; a few milliseconds. */
export function multipliesSignedWeights(runtime: Runtime): Promise<boolean> {
  const found = known.get(runtime) ?? tried(runtime)
  known.set(runtime, found)
  return found
}

async function tried(runtime: Runtime): Promise<boolean> {
  const graph = new Graph({ name: 'signed-weights' })
  const activations = graph.input('activations', 'uint8', ['rows', INPUTS])
  const one = graph.constant('float32', [], [1])
  // columns of 127 and of -127 by turns
  const weights = Array.from({ length: INPUTS * OUTPUTS }, (_, at) => ((at % OUTPUTS) % 2 === 0 ? 127 : -127))
  const matrix = graph.constant('int8', [INPUTS, OUTPUTS], weights)
  const ones = graph.constant('float32', [OUTPUTS], new Array<number>(OUTPUTS).fill(1))
  const zeroPoint = graph.constant('uint8', [], [128])
  graph.output('sums', matMulIntegerToFloat(activations, matrix, one, ones, { aZeroPoint: zeroPoint }))
  await using session = await runtime.open({ kind: 'bytes', bytes: (await encodeModelInline(graph)).bytes() }, { name: 'signed-weights' })
  for (const rows of ROWS) {
    const feed = tensor('uint8', [rows, INPUTS], new Uint8Array(rows * INPUTS).fill(255))
    const { data } = (await session.run(new Map([['activations', feed]]), ['sums'])).get('sums') ?? {}
    if (!(data instanceof Float32Array)) return false
    const expected = (255 - 128) * 127 * INPUTS
    if (data.some((sum, at) => sum !== ((at % OUTPUTS) % 2 === 0 ? expected : -expected))) return false
  }
  return true
}
