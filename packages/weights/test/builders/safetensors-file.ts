import { joined, text, uint64 } from './little-endian.ts'

export interface SafetensorsParts {
  /** The header, as an object or as it stands. */
  readonly header: unknown
  readonly data?: Uint8Array
  /** What the file claims its header's length to be; the truth when absent. */
  readonly headerBytes?: bigint
}

/** A file of these parts, sound or not. */
export function safetensorsFile({ header, data = new Uint8Array(0), headerBytes }: SafetensorsParts): Uint8Array {
  const json = header instanceof Uint8Array ? header : text(typeof header === 'string' ? header : JSON.stringify(header))
  return joined(uint64(headerBytes ?? BigInt(json.byteLength)), json, data)
}

/** An entry of the header. */
export function entry(dtype: string, shape: readonly number[], begin: number, end: number): unknown {
  return { dtype, shape, data_offsets: [begin, end] }
}
