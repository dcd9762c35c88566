/**
 * How the weights of a checkpoint are packed: the format that was asked for, settled for the file, the architecture, what runs beside it, and
 * the runtime. In wasm products of blocks are slow (SmolLM2-135M, processor time of one thread, least of a run, steps of 1 and 64 rows: blocks
 * 399 and 949 ms, rows of integers 29 and 277, float32 28 and 545), so there `auto` never chooses them: a quantised file runs in rotated rows,
 * or where nothing can be rotated in float32, as long as that fits.
 */
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

/**
 * @param runtime  what the graph will run on; a native library when absent
 */
export function choosePacking(
  checkpoint: Checkpoint,
  format: WeightFormat,
  adapters: readonly LoraAdapter[] = [],
  runtime?: Runtime,
): ChosenPacking {
  const isWasm = runtime !== undefined && runsInWasm(runtime)
  const sizes = matrixSizes(checkpoint.weights.store.tensors.values())
  if (isWasm && format === 'auto') return automaticInWasm(sizes, () => streamRotation(checkpoint, adapters))
  const mayBeRows = format === 'int8-rows' || (format === 'auto' && sizes.bits >= LEAST_BITS)
  if (!mayBeRows) return { packing: { format }, notes: isWasm && format !== 'f32' ? [SLOW_BLOCKS] : [] }
  const rotation = streamRotation(checkpoint, adapters)
  if (typeof rotation !== 'string') return rotatedRows(rotation)
  if (format === 'auto')
    return { packing: { format }, notes: [`weights stay as the file has them, and rows of integers are not used: ${rotation}`] }
  return { packing: { format }, notes: [`rows of integers lose quality here: ${rotation}`] }
}

function rotatedRows(rotation: Rotation): ChosenPacking {
  const { width, blockSize } = rotation
  const mixed = width === blockSize ? '' : `, ${width / blockSize} of them mixed`
  return {
    packing: { format: 'int8-rows', rotation },
    notes: [`the residual stream is rotated: Hadamard blocks of ${blockSize}${mixed}`],
  }
}

/** Its memory ends at 4 GB, and while a model is opened it holds the weights two to three times. */
const MOST_FLOAT_BYTES_IN_WASM = 2 ** 30
const SLOW_BLOCKS = 'products of blocks of integers take several times as long in wasm as those of floats: without a format none are chosen'

function automaticInWasm({ elements, bits }: MatrixSizes, findRotation: () => Rotation | string): ChosenPacking {
  const fits = 4 * elements <= MOST_FLOAT_BYTES_IN_WASM
  if (bits === 0 && fits) return { packing: { format: 'auto' }, notes: [] }
  const rotation = findRotation()
  if (typeof rotation !== 'string') {
    const rows = rotatedRows(rotation)
    return bits > 0 ? rows : { ...rows, notes: [...rows.notes, 'floats are rounded to 8 bits: in float32 they would not fit into wasm'] }
  }
  if (fits) {
    const note = `blocks of integers become float32, because their products are several times slower in wasm; rows of integers are not used: ${rotation}`
    return { packing: { format: 'auto', blocksAsFloats: true }, notes: [note] }
  }
  return {
    packing: { format: 'int8-rows' },
    notes: [`rows of integers lose quality here: ${rotation}. Float32 would not fit into wasm, and blocks are several times slower`],
  }
}

/**
 * The kernels of the wasm library pack a wide matrix anew in each product: cut by columns, a token takes a fifth less time there, with the same
 * bits. Widths of 768 to 2,048 were alike, 384 a little slower. The native library gains nothing (13.2 to 13.8 ms at every width).
 */
const WASM_COLUMNS = 768

/** The packing as it suits a runtime. */
export async function packingFor(runtime: Runtime, { packing }: ChosenPacking): Promise<Packing> {
  if (packing.format !== 'int8-rows') return { ...packing, isSigned: false }
  const isSigned = await multipliesSignedWeights(runtime)
  return { ...packing, isSigned, ...(runsInWasm(runtime) ? { splitColumns: WASM_COLUMNS } : {}) }
}

function runsInWasm({ device }: Runtime): boolean {
  return device.provider === 'wasm'
}

/** The rotation, or why there is none. */
function streamRotation({ description }: Checkpoint, adapters: readonly LoraAdapter[]): Rotation | string {
  const { config, allowsRotation = false } = description
  if (!allowsRotation) return `the residual stream of ${config.modelType} cannot be rotated`
  if (adapters.some(({ mode }) => mode === 'runtime')) return 'the residual stream is not rotated where adapters run beside the weights'
  return randomRotation(config.hidden, ROTATION_SEED) ?? `a residual stream ${config.hidden} wide has no quick rotation`
}

interface MatrixSizes {
  /** Of all matrices. */
  readonly elements: number
  /** Average bits of an element that is stored in a block of integers; 0 where none is. */
  readonly bits: number
}

function matrixSizes(tensors: Iterable<TensorInfo>): MatrixSizes {
  let elements = 0
  let quantized = 0
  let bytes = 0
  for (const { encoding, shape, byteLength } of tensors) {
    if (shape.length < 2) continue
    const size = shape.reduce((product, dim) => product * dim, 1)
    elements += size
    if (losslessFormat(encoding)?.kind === 'f32') continue
    quantized += size
    bytes += byteLength
  }
  return { elements, bits: quantized === 0 ? 0 : (8 * bytes) / quantized }
}
