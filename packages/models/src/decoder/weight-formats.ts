/**
 * Which packed format a linear layer gets. The names are what users ask for; by default floats are not rounded, and a quantised file runs in what
 * is quickest without a loss that matters. The head is kept at 8 bits or more: at 4 bits it costs the most quality.
 */
import type { LinearFormat, Rotation } from '@foretoken/tensor'
import { losslessFormat, type TensorEncoding } from '@foretoken/weights'

export const WEIGHT_FORMATS = ['auto', 'f32', 'int8', 'int8-rows', 'int4', 'stored'] as const
/**
 * `f32`: as decoded. `int8`: 8-bit blocks with one scale per 32 inputs. `int8-rows`: one scale per output row and one per row of activations, in a
 * rotated residual stream where the architecture allows that (`basis.ts`); the quickest, and without a rotation the least in quality.
 * `int4`: 4-bit blocks of 32 with minima; a file's own 4-bit blocks without loss. `stored`: every tensor as the file has it where an
 * operator can express that (16 bits as float32), otherwise 8-bit blocks. `auto`: what we take to be best for the
 * file (`packing.ts`): `int8-rows` where it is quantised to 4 bits or more and the stream can be rotated, else `stored`, but never blocks in wasm.
 */
export type WeightFormat = (typeof WEIGHT_FORMATS)[number]

/**
 * Two roles stay in float32 in every format. `router`: small products, where a rounded score sends a row to another expert.
 * `recurrence`: small products that decide how a state decays; an error there lasts.
 */
export type WeightRole = 'linear' | 'head' | 'recurrence' | 'router'

const FLOAT32: LinearFormat = { kind: 'f32' }
const INT8_BLOCKS: LinearFormat = { kind: 'blocks', bits: 8, blockSize: 32, hasMinima: false }
const INT4_BLOCKS: LinearFormat = { kind: 'blocks', bits: 4, blockSize: 32, hasMinima: true }

/** How the weights of a model are packed: what was asked for, settled for a file and a runtime. */
export interface Packing {
  readonly format: WeightFormat
  /** Whether rows of integers are int8 (`signed-weights.ts`). */
  readonly isSigned: boolean
  /** Widest single product of rows of integers; as wide as they are when absent. */
  readonly splitColumns?: number
  /** Under `auto`, matrices that the file has in blocks become float32. */
  readonly blocksAsFloats?: boolean
  /** What the residual stream is rotated by, where it is (`basis.ts`). */
  readonly rotation?: Rotation
}

/** The format for a tensor that is stored in the given encoding. */
export function linearFormat(
  { format, isSigned, blocksAsFloats = false }: Packing,
  role: WeightRole,
  encoding: TensorEncoding,
): LinearFormat {
  if (role === 'router' || role === 'recurrence') return FLOAT32
  const lossless = losslessFormat(encoding)
  switch (format) {
    case 'f32':
      return FLOAT32
    case 'int8-rows':
      return { kind: 'int8-rows', isSigned }
    case 'int8':
      return lossless?.kind === 'blocks' && lossless.bits === 8 ? lossless : INT8_BLOCKS
    case 'int4':
      if (lossless?.kind === 'blocks' && (lossless.bits === 4 || role === 'head')) return lossless
      return role === 'head' ? INT8_BLOCKS : INT4_BLOCKS
    case 'auto':
    case 'stored':
      return blocksAsFloats ? FLOAT32 : (lossless ?? INT8_BLOCKS)
  }
}

/** Embedding rows: float32 where the file has floats and nothing is to be rounded, otherwise 8-bit blocks, the file's own or made from it. */
export function embeddingFormat({ format }: Packing, encoding: TensorEncoding): LinearFormat {
  if (format === 'f32') return FLOAT32
  const lossless = losslessFormat(encoding)
  if (lossless?.kind === 'f32' && (format === 'auto' || format === 'stored')) return FLOAT32
  return lossless?.kind === 'blocks' && lossless.bits === 8 && !lossless.hasMinima ? lossless : INT8_BLOCKS
}

export function sameFormat(a: LinearFormat, b: LinearFormat): boolean {
  if (a.kind !== 'blocks' || b.kind !== 'blocks') return a.kind === b.kind
  return a.bits === b.bits && a.blockSize === b.blockSize && a.hasMinima === b.hasMinima
}

/** How a format is called in the plan. */
export function formatName(format: LinearFormat): string {
  if (format.kind !== 'blocks') return format.kind
  return `int${format.bits}-blocks-${format.blockSize}${format.hasMinima ? '-minima' : ''}`
}

/** Products of 4-bit blocks take another kernel for one row than for several. */
export function needsTwoRows(format: LinearFormat): boolean {
  return format.kind === 'blocks' && format.bits === 4
}
