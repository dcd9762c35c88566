/** Pieces of a little-endian file, put together by hand: what the readers under test are given, independent of the package's own writers. */
export function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((total, piece) => total + piece.byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return bytes
}

export function uint8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values)
}

export function uint16(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer)
}

export function uint32(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

export function uint64(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer)
}

export function float32(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** Text with its length of 64 bits before it, as GGUF has it. */
export function longText(value: string): Uint8Array {
  const bytes = text(value)
  return joined(uint64(BigInt(bytes.byteLength)), bytes)
}
