/** How the weights of a checkpoint are packed: the format that was asked for, settled for the file, the architecture and what runs beside it. */
import type { Runtime } from '@foretoken/runtime'
import { type Rotation, randomRotation } from '@foretoken/tensor'
import { losslessFormat, type TensorInfo } from '@foretoken/weights'
import type { LoraAdapter } from '../adapters/lora-adapter.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { multipliesSignedWeights } from './signed-weights.ts'
import type { Packing, WeightFormat } from './weight-formats.ts'

/** Any number would do; another one is another model in the last digits. */
const ROTATION_SEED = 1
/** Below this many bits a weight of a file, 8 bits for each are too dear: its own blocks stay. */
const LEAST_BITS = 4

export interface ChosenPacking {
  readonly packing: Omit<Packing, 'isSigned' | 'splitColumns'>
  /** For the plan. */
  readonly notes: readonly string[]
}

export function choosePacking(checkpoint: Checkpoint, format: WeightFormat, adapters: readonly LoraAdapter[] = []): ChosenPacking {
  const mayBeRows = format === 'int8-rows' || (format === 'auto' && isQuantized(checkpoint.weights.store.tensors.values()))
  if (!mayBeRows) return { packing: { format }, notes: [] }
  const rotation = streamRotation(checkpoint, adapters)
  if (typeof rotation !== 'string') {
    const { width, blockSize } = rotation
    const mixed = width === blockSize ? '' : `, ${width / blockSize} of them mixed`
    return {
      packing: { format: 'int8-rows', rotation },
      notes: [`the residual stream is rotated: Hadamard blocks of ${blockSize}${mixed}`],
    }
  }
  if (format === 'auto')
    return { packing: { format }, notes: [`weights stay as the file has them, and rows of integers are not used: ${rotation}`] }
  return { packing: { format }, notes: [`rows of integers lose quality here: ${rotation}`] }
}

/** The kernels of the wasm library pack a wide matrix anew in each product: cut by columns, a token takes a fifth less time there, with the same bits. */
const WASM_COLUMNS = 768

/** The packing as it suits a runtime. */
export async function packingFor(runtime: Runtime, { packing }: ChosenPacking): Promise<Packing> {
  if (packing.format !== 'int8-rows') return { ...packing, isSigned: false }
  const isSigned = await multipliesSignedWeights(runtime)
  return { ...packing, isSigned, ...(runtime.name === 'onnxruntime-web' ? { splitColumns: WASM_COLUMNS } : {}) }
}

/** The rotation, or why there is none. */
function streamRotation({ description }: Checkpoint, adapters: readonly LoraAdapter[]): Rotation | string {
  const { config, allowsRotation = false } = description
  if (!allowsRotation) return `the residual stream of ${config.modelType} cannot be rotated`
  if (adapters.some(({ mode }) => mode === 'runtime')) return 'the residual stream is not rotated where adapters run beside the weights'
  return randomRotation(config.hidden, ROTATION_SEED) ?? `a residual stream ${config.hidden} wide has no quick rotation`
}

/** Whether matrices are stored in blocks of integers, of 4 bits or more on average. */
function isQuantized(tensors: Iterable<TensorInfo>): boolean {
  let bytes = 0
  let elements = 0
  for (const { encoding, shape, byteLength } of tensors) {
    if (shape.length < 2 || losslessFormat(encoding)?.kind === 'f32') continue
    bytes += byteLength
    elements += shape.reduce((product, dim) => product * dim, 1)
  }
  return elements > 0 && (8 * bytes) / elements >= LEAST_BITS
}
